"""Common analytes of the laboratory: LOINC codes, names on German and English sheets, units, and what can be true.

One row an analyte that people compare over time. LOINC codes of one row differ by method or property (mass or amount)
only; specimens other than blood are rows of their own. "plausible" bounds are wide: beyond them a number was misread
(a lost decimal comma), whatever the disease. They say nothing about health; reference ranges come from the sheets alone.

Molar masses (g/mol): IUPAC standard atomic weights (2021) and PubChem's computed molecular weights; triglycerides as
triolein; urea nitrogen as N2; haemoglobin per haem-carrying chain (SI practice, IFCC). Codes: this material contains
content from LOINC (https://loinc.org). LOINC is copyright Regenstrief Institute, Inc. and the LOINC Committee and is
available at no cost under the license at https://loinc.org/license.
"""

# ruff: noqa: E501 - a table, one analyte a row
from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.records import units


@dataclass(frozen=True)
class Analyte:
    """`unit` and `low`–`high` (plausible, in that unit); `names` are folded; "" as unit: a bare number."""

    key: str
    label: Promise
    group: str
    loinc: frozenset[str]
    unit: str
    low: float
    high: float
    names: tuple[str, ...]
    molar_mass: float = 0
    valence: int = 0


GROUPS: dict[str, Promise] = {
    "blood": _("Blood count"), "clotting": _("Clotting"), "salts": _("Salts and minerals"), "kidney": _("Kidney"),
    "liver": _("Liver and pancreas"), "heart": _("Heart and muscle"), "sugar": _("Sugar"), "fats": _("Blood fats"),
    "inflammation": _("Inflammation"), "protein": _("Proteins"), "iron": _("Iron and vitamins"),
    "hormones": _("Thyroid and hormones"), "tumour": _("Tumour markers"), "gases": _("Blood gases"),
    "other": _("Other results"),
}  # fmt: skip

_FOLDS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss", "γ": "gamma", "α": "alpha", "β": "beta"})


def fold(name: str) -> str:
    """A name with one spelling for what is the same: small letters without accents, single spaces, no dots."""
    text = name.casefold().translate(_FOLDS)
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = re.sub(r"[._]", " ", text)
    return re.sub(r"\s+", " ", re.sub(r"\s*([-/,])\s*", r"\1", text)).strip(" :*-")


def _a(
    group: str, key: str, label: Promise, loinc: str, unit: str, low: float, high: float, names: str,
    molar_mass: float = 0, valence: int = 0,
) -> Analyte:  # fmt: skip
    folded = tuple(sorted({fold(name) for name in names.split("|")}))
    return Analyte(key, label, group, frozenset(loinc.split()), unit, low, high, folded, molar_mass, valence)


# fmt: off
TABLE: tuple[Analyte, ...] = (
    _a("blood", "hemoglobin", _("Haemoglobin"), "718-7 20509-6 59260-0 30313-1 30350-3", "g/dL", 1, 30,
       "Hämoglobin|Haemoglobin|Hemoglobin|Hb|Hgb|HGB|Hämoglobin (Hb)|Hemoglobin (Hgb)|HB (Hämoglobin)", 16114.5),
    _a("blood", "hematocrit", _("Haematocrit"), "4544-3 20570-8 4545-0 48703-3 31100-1", "%", 3, 80,
       "Hämatokrit|Haematocrit|Hematocrit|Hkt|Hct|HK|PCV|Hämatokrit (Hkt)"),
    _a("blood", "erythrocytes", _("Red blood cells"), "789-8 26453-1 11273-0", "10*12/L", 0.3, 10,
       "Erythrozyten|Erythrocytes|Red blood cells|Red blood cell count|Red cell count|RBC|Ery|Erys|Erythrozyten (Ery)|RBC count"),
    _a("blood", "leukocytes", _("White blood cells"), "6690-2 26464-8 804-5 11156-7 12227-5", "10*9/L", 0.01, 900,
       "Leukozyten|Leukocytes|White blood cells|White blood cell count|White cell count|WBC|Leuko|Leukos|WBC count|Leucocytes"),
    _a("blood", "platelets", _("Platelets"), "777-3 26515-7 778-1 11125-2 13056-7", "10*9/L", 0.5, 4000,
       "Thrombozyten|Platelets|Platelet count|PLT|Thrombo|Thrombos|Thrombocytes"),
    _a("blood", "mcv", _("MCV (size of red cells)"), "787-2 30428-7", "fL", 40, 170, "MCV|Mean corpuscular volume|Mean cell volume"),
    _a("blood", "mch", _("MCH (haemoglobin per cell)"), "785-6 28539-5", "pg", 10, 60, "MCH|HbE|Mean corpuscular hemoglobin|Mean corpuscular haemoglobin|MCH (HbE)"),
    _a("blood", "mchc", _("MCHC (haemoglobin in cells)"), "786-4 28540-3", "g/dL", 15, 50,
       "MCHC|Mean corpuscular hemoglobin concentration|Mean corpuscular haemoglobin concentration", 16114.5),
    _a("blood", "rdw", _("RDW (spread of red cell size)"), "788-0 30385-9", "%", 5, 50, "RDW|RDW-CV|EVB|Red cell distribution width|Erythrozytenverteilungsbreite"),
    _a("blood", "rdw_sd", _("RDW-SD (spread of red cell size)"), "21000-5 30384-2", "fL", 10, 150, "RDW-SD"),
    _a("blood", "mpv", _("MPV (size of platelets)"), "32623-1 28542-9", "fL", 3, 25, "MPV|Mean platelet volume"),
    _a("blood", "pdw", _("PDW (spread of platelet size)"), "32207-3", "fL", 3, 600, "PDW|Platelet distribution width"),
    _a("blood", "reticulocytes", _("Reticulocytes"), "17849-1 4679-7", "%", 0, 60, "Retikulozyten|Reticulocytes"),
    _a("blood", "neutrophils_percent", _("Neutrophils (share)"), "770-8 23761-0 26511-6", "%", 0, 100,
       "Neutrophile|Neutrophils %|Neutrophile %|Neutrophile Granulozyten|Neutrophils|Segmentkernige|Segmentkernige Granulozyten"),
    _a("blood", "neutrophils", _("Neutrophils (count)"), "751-8 26499-4 753-4", "10*9/L", 0, 500,
       "Neutrophile absolut|Neutrophils absolute|Absolute neutrophils|Neutrophile abs|ANC|Neutrophil count"),
    _a("blood", "lymphocytes_percent", _("Lymphocytes (share)"), "736-9 26478-8", "%", 0, 100, "Lymphozyten|Lymphocytes|Lymphozyten %|Lymphocytes %"),
    _a("blood", "lymphocytes", _("Lymphocytes (count)"), "731-0 26474-7 732-8", "10*9/L", 0, 900,
       "Lymphozyten absolut|Lymphocytes absolute|Absolute lymphocytes|Lymphozyten abs|Lymphocyte count"),
    _a("blood", "monocytes_percent", _("Monocytes (share)"), "5905-5 26485-3", "%", 0, 100, "Monozyten|Monocytes|Monozyten %|Monocytes %"),
    _a("blood", "monocytes", _("Monocytes (count)"), "742-7 26484-6 743-5", "10*9/L", 0, 300, "Monozyten absolut|Monocytes absolute|Absolute monocytes|Monozyten abs"),
    _a("blood", "eosinophils_percent", _("Eosinophils (share)"), "713-8 26450-7", "%", 0, 100, "Eosinophile|Eosinophils|Eosinophile %|Eosinophils %|Eosinophile Granulozyten"),
    _a("blood", "eosinophils", _("Eosinophils (count)"), "711-2 26449-9 712-0", "10*9/L", 0, 200, "Eosinophile absolut|Eosinophils absolute|Absolute eosinophils|Eosinophile abs"),
    _a("blood", "basophils_percent", _("Basophils (share)"), "706-2 30180-4", "%", 0, 100, "Basophile|Basophils|Basophile %|Basophils %|Basophile Granulozyten"),
    _a("blood", "basophils", _("Basophils (count)"), "704-7 26444-0 705-4", "10*9/L", 0, 100, "Basophile absolut|Basophils absolute|Absolute basophils|Basophile abs"),
    _a("blood", "esr", _("Sedimentation rate"), "4537-7 30341-2 18184-2", "mm/h", 0, 200, "BSG|BKS|ESR|Blutsenkung|Blutsenkungsgeschwindigkeit|Erythrocyte sedimentation rate|BSG 1 h|BSG 1h|Sed rate"),

    _a("clotting", "inr", _("INR"), "6301-6 34714-6 46418-0", "", 0.3, 25, "INR|TPZ-INR|PT-INR|INR (TPZ)|Prothrombin INR"),
    _a("clotting", "quick", _("Quick value (prothrombin)"), "5894-1", "%", 1, 200, "Quick|Quickwert|Quick-Wert|TPZ|Thromboplastinzeit|TPZ (Quick)|Thromboplastinzeit (Quick)|Prothrombinzeit"),
    _a("clotting", "pt", _("Prothrombin time"), "5902-2 5964-2", "s", 5, 200, "Prothrombin time|PT"),
    _a("clotting", "aptt", _("aPTT"), "3173-2 14979-9", "s", 10, 300, "aPTT|PTT|partielle Thromboplastinzeit|Partial thromboplastin time|Activated partial thromboplastin time"),
    _a("clotting", "thrombin_time", _("Thrombin time"), "3243-3", "s", 3, 300, "Thrombinzeit|Thrombin time|TZ"),
    _a("clotting", "fibrinogen", _("Fibrinogen"), "3255-7 30902-1", "mg/dL", 5, 2500, "Fibrinogen"),
    _a("clotting", "ddimer", _("D-dimer"), "48065-7 48066-5 30240-6 71427-9 7799-0 48067-3", "mg/L", 0, 200, "D-Dimere|D-Dimer|D-dimers|D Dimere"),
    _a("clotting", "antithrombin", _("Antithrombin"), "27811-9", "%", 1, 300, "Antithrombin|Antithrombin III|AT III|ATIII"),

    _a("salts", "sodium", _("Sodium"), "2951-2 2947-0", "mmol/L", 90, 210, "Natrium|Sodium|Na|Na+", 22.990, 1),
    _a("salts", "potassium", _("Potassium"), "2823-3 6298-4 75940-7", "mmol/L", 1, 12, "Kalium|Potassium|K|K+", 39.098, 1),
    _a("salts", "chloride", _("Chloride"), "2075-0 2069-3", "mmol/L", 50, 170, "Chlorid|Chloride|Cl|Cl-", 35.45, 1),
    _a("salts", "calcium", _("Calcium"), "17861-6 2000-8 49765-1", "mmol/L", 0.5, 6, "Calcium|Kalzium|Ca|Calcium gesamt|Ca++|Total calcium", 40.078, 2),
    _a("salts", "calcium_ionized", _("Calcium, ionised"), "1995-0 1994-3 12180-6", "mmol/L", 0.2, 4, "Calcium ionisiert|ionisiertes Calcium|Ionized calcium|Calcium, ionized|Ca2+|iCa", 40.078, 2),
    _a("salts", "magnesium", _("Magnesium"), "19123-9 2601-3", "mmol/L", 0.1, 6, "Magnesium|Mg|Mg++", 24.305, 2),
    _a("salts", "phosphate", _("Phosphate"), "2777-1 14879-1", "mmol/L", 0.05, 8, "Phosphat|Phosphate|Phosphor|Phosphorus|Phosphat anorganisch|anorganisches Phosphat|Inorganic phosphate", 30.974),
    _a("salts", "zinc", _("Zinc"), "5763-8", "umol/L", 0.5, 200, "Zink|Zinc", 65.38),
    _a("salts", "copper", _("Copper"), "5631-7", "umol/L", 0.3, 150, "Kupfer|Copper", 63.546),
    _a("salts", "osmolality", _("Osmolality"), "2692-2", "mosm/kg", 180, 500, "Osmolalität|Osmolality"),

    _a("kidney", "creatinine", _("Creatinine"), "2160-0 38483-4 14682-9 59826-8", "mg/dL", 0.05, 40, "Kreatinin|Creatinin|Creatinine|Krea|Crea", 113.12),
    _a("kidney", "egfr", _("Kidney filtration (eGFR)"), "33914-3 62238-1 98979-8 48642-3 48643-1 88293-6 77147-7 69405-9", "mL/min/{1.73_m2}", 1, 250,
       "eGFR|GFR|GFR (CKD-EPI)|eGFR (CKD-EPI)|GFR CKD-EPI|eGFR CKD-EPI|GFR (MDRD)|eGFR (MDRD)|GFR MDRD|Glomeruläre Filtrationsrate|Estimated GFR|Estimated glomerular filtration rate|GFR n. CKD-EPI"),
    _a("kidney", "creatinine_clearance", _("Creatinine clearance"), "2164-2", "mL/min", 1, 300, "Kreatinin-Clearance|Creatinine clearance|Creatinin-Clearance"),
    _a("kidney", "urea", _("Urea"), "22664-7 3091-6 14937-7", "mg/dL", 1, 700, "Harnstoff|Urea", 60.056),
    _a("kidney", "urea_nitrogen", _("Urea nitrogen (BUN)"), "3094-0 6299-2", "mg/dL", 0.5, 330, "Harnstoff-N|BUN|Urea nitrogen|Blood urea nitrogen|Harnstoffstickstoff", 28.014),
    _a("kidney", "urate", _("Uric acid"), "3084-1 14933-6", "mg/dL", 0.1, 40, "Harnsäure|Uric acid|Urate", 168.11),
    _a("kidney", "cystatin_c", _("Cystatin C"), "33863-2", "mg/L", 0.1, 15, "Cystatin C|Cystatin-C"),
    _a("kidney", "albumin_creatinine_ratio", _("Albumin in urine (per creatinine)"), "9318-7 14959-1 32294-1", "mg/g", 0, 30000, "Albumin/Kreatinin|Albumin-Kreatinin-Quotient|Albumin/Creatinine ratio|ACR|UACR"),

    _a("liver", "alt", _("ALT (GPT)"), "1742-6 1743-4 1744-2", "U/L", 0, 30000, "GPT|ALT|ALAT|GPT (ALT)|ALT (GPT)|ALAT (GPT)|GPT (ALAT)|GPT/ALT|GPT/ALAT|ALT/GPT|ALAT/GPT|SGPT|Alanine aminotransferase|Alanin-Aminotransferase"),
    _a("liver", "ast", _("AST (GOT)"), "1920-8 30239-8 88112-8", "U/L", 0, 30000, "GOT|AST|ASAT|GOT (AST)|AST (GOT)|ASAT (GOT)|GOT (ASAT)|GOT/AST|GOT/ASAT|AST/GOT|ASAT/GOT|SGOT|Aspartate aminotransferase|Aspartat-Aminotransferase"),
    _a("liver", "ggt", _("Gamma-GT"), "2324-2", "U/L", 0, 10000, "Gamma-GT|γ-GT|GGT|g-GT|GGTP|Gamma GT|yGT|Gamma glutamyl transferase|Gamma-Glutamyl-Transferase|γGT"),
    _a("liver", "alp", _("Alkaline phosphatase"), "6768-6 1783-0", "U/L", 0, 10000, "Alkalische Phosphatase|Alk Phosphatase|AP|ALP|Alkaline phosphatase|Alk. Phos.|Alk phos"),
    _a("liver", "bilirubin", _("Bilirubin, total"), "1975-2 14631-6", "mg/dL", 0, 80, "Bilirubin|Bilirubin gesamt|Gesamtbilirubin|Total bilirubin|Bilirubin total|Bilirubin, total|Bilirubin ges", 584.66),
    _a("liver", "bilirubin_direct", _("Bilirubin, direct"), "1968-7 14629-0", "mg/dL", 0, 60, "Bilirubin direkt|direktes Bilirubin|Direct bilirubin|Bilirubin direct|Bilirubin, direct|Bilirubin konjugiert", 584.66),
    _a("liver", "lipase", _("Lipase"), "3040-3", "U/L", 0, 30000, "Lipase"),
    _a("liver", "amylase", _("Amylase"), "1798-8", "U/L", 0, 20000, "Amylase|alpha-Amylase"),
    _a("liver", "cholinesterase", _("Cholinesterase"), "2098-2 11175-7", "U/L", 100, 30000, "Cholinesterase|CHE|Pseudocholinesterase"),
    _a("liver", "ammonia", _("Ammonia"), "16362-6 22763-7 1839-0", "umol/L", 1, 3000, "Ammoniak|Ammonia|NH3", 17.031),

    _a("heart", "ck", _("Creatine kinase (CK)"), "2157-6", "U/L", 0, 500000, "CK|CPK|Creatinkinase|Kreatinkinase|Creatine kinase|CK gesamt|CK-NAC|CK total"),
    _a("heart", "ck_mb", _("CK-MB"), "32673-6 13969-1", "U/L", 0, 20000, "CK-MB|CKMB"),
    _a("heart", "troponin_t", _("Troponin T"), "6598-7 67151-1", "ng/L", 0, 100000, "Troponin T|Troponin T hs|hs-Troponin T|Troponin-T|TnT hs|hs-TnT|hsTnT|Troponin T (hs)"),
    _a("heart", "troponin_i", _("Troponin I"), "10839-9 89579-7", "ng/L", 0, 1000000, "Troponin I|Troponin I hs|hs-Troponin I|Troponin-I|hs-TnI|hsTnI|Troponin I (hs)"),
    _a("heart", "nt_probnp", _("NT-proBNP"), "33762-6 71425-3", "ng/L", 0, 300000, "NT-proBNP|NT proBNP|NTproBNP|pro-BNP"),
    _a("heart", "bnp", _("BNP"), "30934-4 42637-9", "ng/L", 0, 50000, "BNP"),
    _a("heart", "ldh", _("LDH"), "14804-9 2532-0 14805-6", "U/L", 10, 50000, "LDH|Laktatdehydrogenase|Lactatdehydrogenase|Lactate dehydrogenase"),
    _a("heart", "myoglobin", _("Myoglobin"), "2639-3", "ug/L", 1, 500000, "Myoglobin"),

    _a("sugar", "glucose", _("Glucose"), "2345-7 2339-0 14749-6 15074-8 1558-6 14771-0 41653-7 2340-8", "mg/dL", 5, 2500,
       "Glukose|Glucose|Blutzucker|BZ|Glukose nüchtern|Nüchternglukose|Fasting glucose|Glucose nüchtern|Blood glucose|Glucose, fasting", 180.156),
    _a("sugar", "hba1c", _("HbA1c (long-term sugar)"), "4548-4 17856-6 59261-8 41995-2 62388-4", "%", 2, 25, "HbA1c|HBA1C|HbA1c (NGSP)|HbA1c (IFCC)|Hemoglobin A1c|Hämoglobin A1c|A1c|HbA1c NGSP|HbA1c IFCC|Haemoglobin A1c"),
    _a("sugar", "insulin", _("Insulin"), "20448-7 1554-5 27873-9", "m[IU]/L", 0, 3000, "Insulin|Insulin nüchtern"),
    _a("sugar", "c_peptide", _("C-peptide"), "1986-9", "ug/L", 0, 60, "C-Peptid|C-Peptide|C peptide"),
    _a("sugar", "lactate", _("Lactate"), "2524-7 32693-4 14118-4", "mmol/L", 0.1, 40, "Laktat|Lactate|Lactat|Lactic acid", 90.078),

    _a("fats", "cholesterol", _("Cholesterol, total"), "2093-3 14647-2", "mg/dL", 20, 1500, "Cholesterin|Gesamtcholesterin|Cholesterin gesamt|Cholesterol|Total cholesterol|Cholesterol total|Cholesterol, total|Cholesterin ges|Chol", 386.65),
    _a("fats", "ldl", _("LDL cholesterol"), "18262-6 13457-7 2089-1 22748-8 39469-2", "mg/dL", 1, 1000, "LDL|LDL-Cholesterin|LDL-Cholesterol|LDL Cholesterin|LDL Cholesterol|LDL-C|LDL-Chol", 386.65),
    _a("fats", "hdl", _("HDL cholesterol"), "2085-9 14646-4", "mg/dL", 1, 300, "HDL|HDL-Cholesterin|HDL-Cholesterol|HDL Cholesterin|HDL Cholesterol|HDL-C|HDL-Chol", 386.65),
    _a("fats", "non_hdl", _("Non-HDL cholesterol"), "43396-1 70204-3", "mg/dL", 5, 1400, "Non-HDL-Cholesterin|Non-HDL cholesterol|Non-HDL|non HDL-Cholesterin", 386.65),
    _a("fats", "triglycerides", _("Triglycerides"), "2571-8 14927-8 1644-4", "mg/dL", 5, 15000, "Triglyceride|Triglyzeride|Triglycerides|TG|Neutralfette", 885.4),
    _a("fats", "lipoprotein_a", _("Lipoprotein (a)"), "10835-7 43583-4", "mg/dL", 0, 800, "Lipoprotein (a)|Lipoprotein(a)|Lp(a)|Lp (a)"),

    _a("inflammation", "crp", _("CRP"), "1988-5 30522-7 76485-2 76486-0", "mg/L", 0, 1000, "CRP|C-reaktives Protein|C-reactive protein|hs-CRP|CRP hs|hsCRP|CRP quant|C reactive protein"),
    _a("inflammation", "procalcitonin", _("Procalcitonin"), "33959-8 75241-0", "ug/L", 0, 2000, "Procalcitonin|PCT"),
    _a("inflammation", "il6", _("Interleukin-6"), "26881-3", "ng/L", 0, 1000000, "Interleukin-6|IL-6|Interleukin 6|IL6"),
    _a("inflammation", "rheumatoid_factor", _("Rheumatoid factor"), "11572-5", "[IU]/mL", 0, 20000, "Rheumafaktor|Rheumatoid factor|RF"),
    _a("inflammation", "anti_ccp", _("Anti-CCP antibodies"), "33935-8 53027-9", "U/mL", 0, 10000, "Anti-CCP|CCP-Antikörper|CCP-AK|Anti-CCP-Antikörper|CCP antibodies"),

    _a("protein", "protein", _("Protein, total"), "2885-2", "g/L", 5, 200, "Gesamteiweiß|Eiweiß gesamt|Gesamtprotein|Total protein|Protein total|Protein, total|Eiweiß|Gesamt-Eiweiß"),
    _a("protein", "albumin", _("Albumin"), "1751-7 61151-7 61152-5 2862-1", "g/L", 3, 90, "Albumin", 66437),
    _a("protein", "globulin", _("Globulins"), "10834-0 2336-6", "g/L", 1, 150, "Globulin|Globuline|Globulins"),
    _a("protein", "igg", _("Immunoglobulin G"), "2465-3", "g/L", 0.05, 200, "IgG|Immunglobulin G|Immunoglobulin G"),
    _a("protein", "iga", _("Immunoglobulin A"), "2458-8", "g/L", 0, 150, "IgA|Immunglobulin A|Immunoglobulin A"),
    _a("protein", "igm", _("Immunoglobulin M"), "2472-9", "g/L", 0, 200, "IgM|Immunglobulin M|Immunoglobulin M"),
    _a("protein", "ige", _("Immunoglobulin E"), "19113-0", "[IU]/mL", 0, 100000, "IgE|IgE gesamt|Gesamt-IgE|Immunglobulin E|Immunoglobulin E|Total IgE"),
    _a("protein", "kappa", _("Free light chains kappa"), "36916-5", "mg/L", 0, 50000, "Freie Leichtketten kappa|Kappa freie Leichtketten|Free kappa light chains|Kappa, frei"),
    _a("protein", "lambda", _("Free light chains lambda"), "33944-0", "mg/L", 0, 50000, "Freie Leichtketten lambda|Lambda freie Leichtketten|Free lambda light chains|Lambda, frei"),
    _a("protein", "beta2_microglobulin", _("Beta-2 microglobulin"), "1952-1", "mg/L", 0.1, 100, "Beta-2-Mikroglobulin|β2-Mikroglobulin|Beta-2 microglobulin|Beta2-Mikroglobulin"),
    _a("protein", "haptoglobin", _("Haptoglobin"), "4542-7 46127-7", "g/L", 0, 10, "Haptoglobin"),

    _a("iron", "ferritin", _("Ferritin"), "2276-4 20567-4", "ug/L", 0.5, 200000, "Ferritin"),
    _a("iron", "iron", _("Iron"), "2498-4 14798-3", "ug/dL", 1, 1500, "Eisen|Iron|Fe", 55.845),
    _a("iron", "transferrin", _("Transferrin"), "3034-6", "mg/dL", 20, 900, "Transferrin", 79570),
    _a("iron", "transferrin_saturation", _("Transferrin saturation"), "2502-3", "%", 0.5, 120, "Transferrinsättigung|Transferrin-Sättigung|Transferrin saturation|Iron saturation|TSAT"),
    _a("iron", "vitamin_b12", _("Vitamin B12"), "2132-9 14685-2", "ng/L", 20, 30000, "Vitamin B12|Vit. B12|Cobalamin|Vitamin B 12|Vitamin-B12|Vit B12", 1355.4),
    _a("iron", "holo_tc", _("Holotranscobalamin"), "48614-2", "pmol/L", 2, 1000, "Holotranscobalamin|Holo-TC|Holo-Transcobalamin"),
    _a("iron", "folate", _("Folic acid"), "2284-8 14732-2", "ug/L", 0.2, 200, "Folsäure|Folate|Folic acid|Folat", 441.4),
    _a("iron", "vitamin_d", _("Vitamin D (25-OH)"), "1989-3 62292-8 14905-4 35365-6", "ug/L", 1, 400,
       "25-OH-Vitamin D|25-OH-Vitamin D3|25-Hydroxy-Vitamin D|25-Hydroxyvitamin D|Vitamin D (25-OH)|Vitamin D 25-OH|Vitamin D3 (25-OH)|Vitamin D|Vitamin D3|25(OH)D|Vitamin D, 25-Hydroxy|25-OH-Vit. D", 400.64),

    _a("hormones", "tsh", _("TSH (thyroid)"), "3016-3 11580-8 11579-0", "m[IU]/L", 0, 800, "TSH|TSH basal|Thyreotropin|TSH (basal)|Thyroid stimulating hormone|hTSH"),
    _a("hormones", "ft3", _("fT3 (thyroid)"), "3051-0 14928-6", "ng/L", 0.2, 60, "fT3|Freies T3|FT3|Free T3|T3 frei|Free triiodothyronine", 650.97),
    _a("hormones", "ft4", _("fT4 (thyroid)"), "3024-7 14920-3", "ng/L", 0.5, 120, "fT4|Freies T4|FT4|Free T4|T4 frei|Free thyroxine", 776.87),
    _a("hormones", "tpo", _("TPO antibodies"), "8099-4", "[IU]/mL", 0, 20000, "TPO-AK|Anti-TPO|TPO-Antikörper|TPO antibodies|MAK"),
    _a("hormones", "trak", _("TSH receptor antibodies"), "5385-0", "[IU]/L", 0, 500, "TRAK|TSH-Rezeptor-AK|TSH-Rezeptor-Antikörper|TSH receptor antibodies"),
    _a("hormones", "thyroglobulin", _("Thyroglobulin"), "3013-0", "ug/L", 0, 200000, "Thyreoglobulin|Thyroglobulin"),
    _a("hormones", "pth", _("Parathyroid hormone"), "2731-8 14866-8", "ng/L", 0.5, 6000, "Parathormon|PTH|Parathyroid hormone|PTH intakt|Intact PTH", 9425),
    _a("hormones", "cortisol", _("Cortisol"), "2143-6 14675-3", "ug/dL", 0, 200, "Cortisol|Kortisol|Cortisol basal", 362.46),
    _a("hormones", "testosterone", _("Testosterone"), "2986-8 14913-8", "ug/L", 0, 60, "Testosteron|Testosterone|Testosteron gesamt|Total testosterone", 288.42),
    _a("hormones", "estradiol", _("Oestradiol"), "2243-4 14715-7", "ng/L", 0, 20000, "Estradiol|Östradiol|17-beta-Estradiol|Oestradiol|E2", 272.38),
    _a("hormones", "progesterone", _("Progesterone"), "2839-9 14890-8", "ug/L", 0, 600, "Progesteron|Progesterone", 314.46),
    _a("hormones", "lh", _("LH"), "10501-5", "[IU]/L", 0, 400, "LH|Luteinizing hormone"),
    _a("hormones", "fsh", _("FSH"), "15067-2", "[IU]/L", 0, 400, "FSH|Follicle stimulating hormone"),
    _a("hormones", "prolactin", _("Prolactin"), "2842-3 20568-2", "ug/L", 0, 30000, "Prolaktin|Prolactin|PRL"),
    _a("hormones", "hcg", _("Beta-hCG"), "21198-7 19080-1", "[IU]/L", 0, 5000000, "Beta-HCG|β-HCG|HCG|hCG|HCG quant"),

    _a("tumour", "psa", _("PSA"), "2857-1 35741-8", "ug/L", 0, 50000, "PSA|PSA gesamt|Total PSA|Prostate specific antigen|Gesamt-PSA|PSA total"),
    _a("tumour", "psa_free", _("PSA, free"), "10886-0", "ug/L", 0, 5000, "PSA frei|Freies PSA|fPSA|Free PSA"),
    _a("tumour", "cea", _("CEA"), "2039-6", "ug/L", 0, 100000, "CEA|Carcinoembryonic antigen|Carcinoembryonales Antigen"),
    _a("tumour", "afp", _("AFP"), "1834-1 31993-9", "ug/L", 0, 10000000, "AFP|Alpha-Fetoprotein|Alpha-1-Fetoprotein|α-Fetoprotein|Alpha fetoprotein"),
    _a("tumour", "ca_125", _("CA 125"), "10334-1", "k[IU]/L", 0, 200000, "CA 125|CA-125|CA125"),
    _a("tumour", "ca_15_3", _("CA 15-3"), "6875-9", "k[IU]/L", 0, 100000, "CA 15-3|CA15-3|CA-15-3"),
    _a("tumour", "ca_19_9", _("CA 19-9"), "24108-3", "k[IU]/L", 0, 10000000, "CA 19-9|CA19-9|CA-19-9"),
    _a("tumour", "ca_72_4", _("CA 72-4"), "17843-4", "k[IU]/L", 0, 100000, "CA 72-4|CA72-4"),
    _a("tumour", "nse", _("NSE"), "15060-7", "ug/L", 0, 20000, "NSE|Neuronenspezifische Enolase|Neuron specific enolase"),
    _a("tumour", "cyfra", _("CYFRA 21-1"), "25390-6", "ug/L", 0, 10000, "CYFRA 21-1|Cyfra 21-1|CYFRA"),
    _a("tumour", "chromogranin_a", _("Chromogranin A"), "9811-1", "ug/L", 0, 1000000, "Chromogranin A|CgA"),
    _a("tumour", "s100", _("S100"), "47275-3", "ug/L", 0, 500, "S100|S-100|S100B|Protein S100"),
    _a("tumour", "calcitonin", _("Calcitonin"), "1992-7", "ng/L", 0, 1000000, "Calcitonin|Kalzitonin"),

    _a("gases", "ph", _("pH"), "2744-1 11558-4 2746-6", "", 6.5, 8, "pH|pH-Wert|pH (Blut)"),
    _a("gases", "pco2", _("pCO2"), "2019-8 11557-6 2021-4", "mm[Hg]", 5, 200, "pCO2|pCO₂|PaCO2"),
    _a("gases", "po2", _("pO2"), "2703-7 11556-8 2705-2", "mm[Hg]", 5, 700, "pO2|pO₂|PaO2"),
    _a("gases", "bicarbonate", _("Bicarbonate"), "1963-8 1959-6 14627-4 20565-8 2028-9", "mmol/L", 1, 70, "Bikarbonat|Bicarbonat|HCO3|Standardbikarbonat|Bicarbonate|HCO3-|Carbon dioxide|CO2 total|Carbon dioxide, total|Total CO2", 61.017, 1),
    _a("gases", "base_excess", _("Base excess"), "1925-7 11555-0 1927-3", "mmol/L", -50, 50, "Base excess|BE|Basenüberschuss|Basenabweichung"),
)
# fmt: on
BY_KEY: dict[str, Analyte] = {row.key: row for row in TABLE}
BY_LOINC: dict[str, Analyte] = {code: row for row in TABLE for code in row.loinc}
BY_NAME: dict[str, Analyte] = {name: row for row in TABLE for name in row.names}
LONGEST_NAME = max(map(len, BY_NAME))

# The same name on a sheet means a share or a count, a time or a percentage: the unit tells which.
SIBLINGS: dict[str, str] = {
    **{row.key: row.key.removesuffix("_percent") for row in TABLE if row.key.endswith("_percent")},
    **{row.key.removesuffix("_percent"): row.key for row in TABLE if row.key.endswith("_percent")},
    "rdw": "rdw_sd", "rdw_sd": "rdw", "quick": "pt", "pt": "quick", "egfr": "creatinine_clearance",
}  # fmt: skip


@lru_cache(maxsize=4000)
def find(code: str, system: str, name: str) -> Analyte | None:
    """The analyte of a coded or named result: by LOINC, else by its whole name; never by a part of the name."""
    if system in ("http://loinc.org", "") and code in BY_LOINC:
        return BY_LOINC[code]
    return None if system == "http://loinc.org" and code else BY_NAME.get(fold(name))


def to_unit(analyte: Analyte | None, value: float, source: str, target: str) -> float | None:
    """`value` in another unit, by the analyte's own molar mass; None when it cannot be compared."""
    if analyte is None:
        return units.convert(value, source, target)
    if analyte.key == "hba1c":
        return units.hba1c(value, source, target)
    return units.convert(value, source, target, molar_mass=analyte.molar_mass, valence=analyte.valence)


def fitting(analyte: Analyte, unit: str) -> Analyte | None:
    """`analyte`, or the one of the same name, that is measured in `unit` (UCUM); None when neither is."""
    for one in (analyte, BY_KEY.get(SIBLINGS.get(analyte.key, ""))):
        if one is not None and to_unit(one, 1.0, unit, one.unit) is not None:
            return one
    return None


def possible(analyte: Analyte, value: float, unit: str) -> bool:
    """Whether a number of `unit` (UCUM) can be true at all for `analyte`."""
    found = to_unit(analyte, value, unit, analyte.unit)
    return found is not None and analyte.low <= found <= analyte.high
