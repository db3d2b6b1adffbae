"""Sealed fields on a small model of their own, whose table exists only while these tests run."""

import pickle
from uuid import UUID, uuid4

import pytest
from django import forms
from django.core.exceptions import FieldError
from django.db import connection, models, transaction
from django.db.migrations.writer import MigrationWriter

from consilium.vault import columns, fields, keys
from consilium.vault.errors import KeyDestroyed, Tampered
from consilium.vault.testdata import independent_decoder as independent


class Note(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)
    case_id = models.UUIDField()
    state = models.CharField(max_length=10, default="new")
    text = fields.SealedTextField()
    remark = fields.SealedTextField(null=True, blank=True)
    data = fields.SealedJSONField(default=dict, blank=True)

    seal_space = "case_id"

    class Meta:
        app_label = "vault_tests"  # not an installed app: nothing looks for its migrations

    def __str__(self) -> str:
        return str(self.id)


class NoteForm(forms.ModelForm):
    class Meta:
        model = Note
        fields = ["text", "remark", "data"]


@pytest.fixture(scope="module")
def table(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Note)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Note)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("table")]


@pytest.fixture
def note(space):
    return Note.objects.create(case_id=space, text="Mammakarzinom links", data={"grade": [1, 2]})


def column(note, name):
    with connection.cursor() as cursor:
        where = connection.ops.quote_name(name)
        key = Note._meta.pk.get_db_prep_value(note.pk, connection)
        cursor.execute(f"SELECT {where} FROM vault_tests_note WHERE id = %s", [key])
        value = cursor.fetchone()[0]
    return None if value is None else bytes(value)


def put_column(note, name, value):
    with connection.cursor() as cursor:
        key = Note._meta.pk.get_db_prep_value(note.pk, connection)
        where = connection.ops.quote_name(name)
        cursor.execute(f"UPDATE vault_tests_note SET {where} = %s WHERE id = %s", [value, key])


def fresh(note):
    return Note.objects.get(pk=note.pk)


def test_round_trip_and_only_ciphertext_in_the_database(note):
    assert fresh(note).text == "Mammakarzinom links"
    assert fresh(note).data == {"grade": [1, 2]}
    assert fresh(note).remark is None
    stored = column(note, "text") + column(note, "data")
    assert b"Mamma" not in stored
    assert b"grade" not in stored
    assert column(note, "remark") is None


def test_second_decoder_reads_the_column(note, space, tenant):
    where = f"vault_tests_note.text:{note.pk}"
    padded = independent.open_sealed(keys.space_key(space).secret, tenant, space, where, column(note, "text"))
    assert independent.unpad(padded).decode() == "Mammakarzinom links"


@pytest.mark.parametrize("text", ["", " ", "\x00", "ends in \x80\x00", "Zürich 🙂", "x" * 100_000])
def test_any_text_survives(space, text):
    assert fresh(Note.objects.create(case_id=space, text=text)).text == text


@pytest.mark.parametrize("data", [{}, [], "", "text", 0, 1.5, True, False, {"ä": [None, {"b": []}]}])
def test_any_json_survives(space, data):
    assert fresh(Note.objects.create(case_id=space, text="x", data=data)).data == data


def test_short_texts_do_not_show_their_length(space):
    notes = [Note.objects.create(case_id=space, text=text) for text in ("no", "yes", "", "unknown so far")]
    assert len({len(column(note, "text")) for note in notes}) == 1


def test_listing_rows_decrypts_nothing_until_a_value_is_read(note, monkeypatch):
    calls = []
    original = fields.seal.unseal
    monkeypatch.setattr(fields.seal, "unseal", lambda *args: calls.append(args) or original(*args))
    (loaded,) = Note.objects.all()
    assert calls == []
    assert loaded.text == loaded.text == "Mammakarzinom links"
    assert len(calls) == 1


def test_change_and_save(note):
    loaded = fresh(note)
    loaded.text = "changed"
    loaded.data["grade"].append(3)
    loaded.save()
    assert (fresh(note).text, fresh(note).data) == ("changed", {"grade": [1, 2, 3]})


def test_saving_an_untouched_row_keeps_its_ciphertext(note):
    before = column(note, "text")
    loaded = fresh(note)
    loaded.state = "old"
    loaded.save()
    assert column(note, "text") == before
    assert fresh(note).text == "Mammakarzinom links"


def test_update_fields(note):
    loaded = fresh(note)
    loaded.text, loaded.remark = "changed", "not saved"
    loaded.save(update_fields=["text"])
    assert (fresh(note).text, fresh(note).remark) == ("changed", None)


@pytest.mark.parametrize("narrow", [lambda rows: rows.defer("text"), lambda rows: rows.only("state")])
def test_deferred_values_load_with_one_query_more(note, narrow, django_assert_num_queries):
    loaded = narrow(Note.objects.all()).get(pk=note.pk)
    loaded.case_id  # noqa: B018 - deferred by only()
    with django_assert_num_queries(1):
        assert loaded.text == "Mammakarzinom links"
        assert loaded.text == "Mammakarzinom links"
    loaded.state = "old"
    loaded.save()
    assert fresh(note).text == "Mammakarzinom links"


def test_refresh_from_db(note):
    loaded = fresh(note)
    assert loaded.text == "Mammakarzinom links"
    other = fresh(note)
    other.text = "changed elsewhere"
    other.save()
    loaded.refresh_from_db()
    assert loaded.text == "changed elsewhere"
    loaded.refresh_from_db(fields=["text"])
    assert loaded.text == "changed elsewhere"


def test_bulk_create(space):
    Note.objects.bulk_create([Note(case_id=space, text=f"number {n}") for n in range(3)])
    assert sorted(row.text for row in Note.objects.filter(case_id=space)) == ["number 0", "number 1", "number 2"]


def test_writing_by_query_is_refused(note):
    for attempt in (
        lambda: Note.objects.filter(pk=note.pk).update(text="plain"),
        lambda: Note.objects.bulk_update([note], ["text"]),
        lambda: Note.objects.bulk_update([note], ["data"]),
    ):
        with pytest.raises(FieldError), transaction.atomic():
            attempt()
    Note.objects.filter(pk=note.pk).update(remark=None)
    assert fresh(note).text == "Mammakarzinom links"


@pytest.mark.parametrize("lookup", ["text", "text__exact", "text__icontains", "text__in", "data__grade", "data"])
def test_searching_by_value_is_refused(note, lookup):
    with pytest.raises(FieldError, match="sealed"):
        Note.objects.filter(**{lookup: ["x"]}).first()


def test_isnull_is_the_only_lookup(note):
    assert Note.objects.filter(remark__isnull=True).get() == note
    assert not Note.objects.filter(text__isnull=True).exists()


def test_values_do_not_leak_and_do_not_decrypt(note):
    (value,) = Note.objects.values_list("text", flat=True)
    assert repr(value) == "<sealed>"


def test_copied_ciphertext_is_refused(note, space, tenant):
    other = Note.objects.create(case_id=space, text="other row")
    put_column(other, "text", column(note, "text"))
    with pytest.raises(Tampered):
        fresh(other).text  # noqa: B018
    put_column(note, "remark", column(note, "text"))
    with pytest.raises(Tampered):
        fresh(note).remark  # noqa: B018
    assert fresh(note).text == "Mammakarzinom links"


def test_row_moved_to_another_space_is_refused(note, tenant):
    keys.create_space(elsewhere := uuid4(), tenant=tenant)
    Note.objects.filter(pk=note.pk).update(case_id=elsewhere)
    with pytest.raises(Tampered):
        fresh(note).text  # noqa: B018


def test_damaged_ciphertext_is_refused_and_not_called_erased(note):
    for broken in (b"", column(note, "text")[:-1], b"Mammakarzinom"):
        put_column(note, "text", broken)
        with pytest.raises(Tampered):
            fresh(note).text  # noqa: B018
        with pytest.raises(Tampered):
            fields.shown(fresh(note), "text")


def test_copying_a_row_needs_its_values_read_first(note):
    copied = fresh(note)
    copied.pk = uuid4()
    copied._state.adding = True
    with pytest.raises(ValueError, match="read the value"), transaction.atomic():
        copied.save()
    copied = fresh(note)
    assert (copied.text, copied.remark, copied.data) == ("Mammakarzinom links", None, {"grade": [1, 2]})
    copied.pk = uuid4()
    copied._state.adding = True
    copied.save()
    assert fresh(copied).text == "Mammakarzinom links"


def test_after_erasure_reading_fails_everything_else_works(note, space):
    loaded = fresh(note)
    keys.destroy_space(space)
    for row in (loaded, fresh(note), Note.objects.defer("text").get()):
        with pytest.raises(KeyDestroyed):
            row.text  # noqa: B018
    loaded.refresh_from_db()
    loaded.state = "erased"
    loaded.save()
    assert fresh(note).state == "erased"
    loaded.text = "new"
    with pytest.raises(KeyDestroyed), transaction.atomic():
        loaded.save()
    with pytest.raises(KeyDestroyed), transaction.atomic():
        Note.objects.create(case_id=space, text="new")


def test_pages_can_say_that_content_was_erased(note, space):
    assert (fields.shown(note, "text"), fields.erased(note)) == ("Mammakarzinom links", False)
    keys.destroy_space(space)
    assert (str(fields.shown(fresh(note), "text")), fields.erased(fresh(note))) == ("Erased", True)


def test_template_shows_erased_values(note, space):
    from django.template import Context, Engine

    engine = Engine(libraries={"sealed": "consilium.vault.templatetags.sealed"})
    template = engine.from_string('{% load sealed %}[{{ note|unsealed:"text" }}][{{ note.text }}]')
    assert template.render(Context({"note": fresh(note)})) == "[Mammakarzinom links][Mammakarzinom links]"
    keys.destroy_space(space)
    assert template.render(Context({"note": fresh(note)})) == "[Erased][]"


def test_form(note):
    form = NoteForm(instance=fresh(note))
    assert "Mammakarzinom links" in str(form["text"])
    form = NoteForm({"text": "from a form", "remark": "", "data": '{"a": 1}'}, instance=fresh(note))
    assert form.is_valid(), form.errors
    form.save()
    assert (fresh(note).text, fresh(note).data) == ("from a form", {"a": 1})
    assert not NoteForm({"text": "", "data": "{}"}).is_valid()


def test_pickled_row_carries_no_plaintext_unless_it_was_read(note):
    loaded = fresh(note)
    assert b"Mamma" not in pickle.dumps(loaded)
    assert loaded.text == "Mammakarzinom links"
    assert b"Mamma" in pickle.dumps(loaded)


def test_serialisation_is_refused(note):
    from django.core import serializers

    with pytest.raises(TypeError, match="not serialised"):
        serializers.serialize("json", [fresh(note)])


def test_migrations_can_write_the_field():
    text, imports = MigrationWriter.serialize(fields.SealedTextField(bound_as="old.column", null=True))
    assert text == "consilium.vault.fields.SealedTextField(bound_as='old.column', null=True)"
    assert imports == {"import consilium.vault.fields"}


def test_added_column_needs_no_plaintext_default(space, note):
    """What migrations.AddField does: existing rows get NULL, never a plaintext default."""

    class Fake(models.Model):
        class Meta:
            app_label = "vault_tests_fake"

        def __str__(self) -> str:
            return ""

    added = fields.SealedTextField(null=True, default="")
    added.set_attributes_from_name("later")
    added.model = Fake
    Fake.__module__ = "__fake__"
    assert added.get_db_prep_save("", connection) is None


def test_old_rows_stay_readable_after_a_rename(note):
    renamed = fields.SealedTextField(bound_as="vault_tests_note.text")
    renamed.set_attributes_from_name("renamed")
    renamed.model = Note
    assert renamed.open(note, fields.Ciphertext(column(note, "text"))) == "Mammakarzinom links"


@pytest.mark.parametrize("option", ["unique", "primary_key", "db_index"])
def test_options_that_need_equal_ciphertexts_are_refused(option):
    with pytest.raises(TypeError, match="every ciphertext is different"):
        fields.SealedTextField(**{option: True})


def test_model_without_space_or_with_a_counting_key_fails_the_system_check():
    class Loose(models.Model):
        text = fields.SealedTextField()

        class Meta:
            app_label = "vault_tests_loose"

        def __str__(self) -> str:
            return ""

    assert {error.id for error in Loose.check()} >= {"vault.E001", "vault.E002"}
    assert not {error.id for error in Note.check()} & {"vault.E001", "vault.E002"}
    with pytest.raises(ValueError, match="needs a space"):
        Loose._meta.get_field("text").pre_save(Loose(text="x"), add=True)


def test_missing_space_is_an_error_not_plaintext():
    row = Note(case_id=None, text="x")
    with pytest.raises(ValueError, match="needs a space"):
        row.save()
    assert isinstance(row.pk, UUID)


# --- many at once ----------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """The ids of notes whose text is opened from now on."""
    found = []
    plain = fields.SealedTextField.from_bytes
    monkeypatch.setattr(
        fields.SealedTextField, "from_bytes", lambda self, data: found.append(data) or plain(self, data)
    )
    return found


def test_a_column_is_opened_once_and_again_when_it_changed(space, opened):
    notes = [Note.objects.create(case_id=space, text=f"Befund {n}", remark=None) for n in range(3)]
    rows = Note.objects.filter(case_id=space)

    def texts():
        return columns.texts(Note, "text", space, dict(rows.values_list("pk", "text")))

    assert texts() == {note.pk: (f"Befund {n}",) for n, note in enumerate(notes)}
    assert len(opened) == 3
    notes[1].text = "Berichtigt"
    notes[1].save()
    assert texts()[notes[1].pk] == ("Berichtigt",)
    assert len(opened) == 4
    assert columns.texts(Note, "remark", space, dict(rows.values_list("pk", "remark"))) == {}


def test_long_values_stay_in_the_database_once_opened(space, opened, django_assert_num_queries):
    notes = [Note.objects.create(case_id=space, text=f"Seite {n}") for n in range(3)]

    def texts():
        found = Note.objects.filter(case_id=space).annotate(salt=columns.salt("text")).values_list("pk", "salt")
        salts = {key: bytes(salt) for key, salt in found}
        return columns.texts_by_salt(Note, "text", space, salts, shape=lambda text: (text.upper(),), purpose="loud")

    with django_assert_num_queries(2):
        assert texts() == {note.pk: (f"SEITE {n}",) for n, note in enumerate(notes)}
    with django_assert_num_queries(1):
        texts()
    assert len(opened) == 3


def test_texts_of_instances_take_what_was_set_on_them(space):
    notes = [Note.objects.create(case_id=space, text=f"Brief {n}", remark="x") for n in range(2)]
    fetched = list(Note.objects.filter(case_id=space).order_by("remark", "id"))
    fetched[0].text = ""
    wanted = {note.pk: (note.text,) for note in notes} | {fetched[0].pk: ("",)}
    assert columns.texts_of(fetched, "text", space) == wanted


def test_a_moved_value_is_not_opened_for_another_row(space):
    one, two = (Note.objects.create(case_id=space, text=f"Wert {n}") for n in range(2))
    columns.texts(Note, "text", space, dict(Note.objects.values_list("pk", "text")))
    put_column(two, "text", column(one, "text"))
    with pytest.raises(Tampered):
        columns.texts(Note, "text", space, dict(Note.objects.values_list("pk", "text")))


def test_one_attribute_of_many_instances_is_opened_at_once(space, opened):
    for number in range(3):
        Note.objects.create(case_id=space, text=f"Brief {number}")
    fetched = list(Note.objects.filter(case_id=space))
    fetched[0].text = "as set"
    columns.open_on(fetched, "text", space)
    assert len(opened) == 2
    assert {note.text for note in fetched[1:]} < {"Brief 0", "Brief 1", "Brief 2"}
    assert (fetched[0].text, len(opened)) == ("as set", 2)
