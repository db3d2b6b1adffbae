// Runs before the image viewer (OHIF): tells it where it stands, whose images it shows and what it may do.
// Everything comes from attributes of the page's #root; nothing is read from the address.
import { idleWarning } from "./idle";

interface Failure { status?: number; request?: { status?: number } }
declare global {
  interface Window {
    PUBLIC_URL: string;
    config: Record<string, unknown>;
    browserImportFunction: (name: string) => Promise<never>;
  }
}

const NARROW = 768;

const asked = location.pathname + location.search;

function showProblem(): void {
  const problem = document.querySelector<HTMLElement>("[data-viewer-problem]");
  if (problem) problem.hidden = false;
  // The viewer goes to an address of its own then, which a reload would not find here.
  window.setTimeout(() => history.replaceState(history.state, "", asked), 2000);
}

function settings(data: DOMStringMap): Record<string, unknown> {
  const images = data["images"];
  return {
    name: "consilium",
    routerBasename: data["router"],
    extensions: [],
    modes: [],
    customizationService: [{ "ohif.tours": { $set: [] } }],
    modesConfiguration: {
      // On a narrow screen the picture comes first; the list of series opens by its button.
      "@ohif/mode-longitudinal": {
        routes: { 0: { layoutInstance: { props: { leftPanelClosed: { $set: innerWidth < NARROW } } } } },
      },
    },
    measurementTrackingMode: "none", // nothing is kept, so nobody is asked whether to keep it
    showStudyList: false,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: true,
    showLoadingIndicator: true,
    showErrorDetails: "dev",
    investigationalUseDialog: { option: "never" }, // our bar says it, and stays
    maxNumberOfWebWorkers: 3,
    strictZSpacingForVolumeViewport: true,
    maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
    defaultDataSourceName: "case",
    dataSources: [
      {
        namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
        sourceName: "case",
        configuration: {
          friendlyName: "Consilium",
          name: "case",
          qidoRoot: images,
          wadoRoot: images,
          wadoUriRoot: images,
          qidoSupportsIncludeField: true,
          imageRendering: "wadors",
          thumbnailRendering: "wadors",
          enableStudyLazyLoad: true,
          supportsFuzzyMatching: false,
          supportsWildcard: false,
          supportsReject: false,
          supportsStow: false,
          dicomUploadEnabled: false,
          omitQuotationForMultipartRequest: true,
          singlepart: "bulkdata,video,pdf",
          bulkDataURI: { enabled: true, relativeResolution: "studies" },
        },
      },
    ],
    httpErrorHandler: (error: Failure) => {
      const status = error.status ?? error.request?.status ?? 0;
      if (status === 0 || status >= 400) showProblem();
    },
  };
}

/**
 * The viewer takes what it opens from the address. UIDs identify a person's images, so they stand there only while it
 * starts; then the address is the record's own again, which is also what a bookmark or a reload gets.
 */
function open(data: DOMStringMap, root: HTMLElement): void {
  const wanted = new URLSearchParams({ StudyInstanceUIDs: data["study"] ?? "" });
  if (data["series"]) wanted.set("initialSeriesInstanceUID", data["series"]);
  if (data["instance"]) wanted.set("initialSOPInstanceUID", data["instance"]);
  history.replaceState(null, "", `${data["at"]}?${wanted}`);
  const watch = new MutationObserver(() => {
    if (!root.querySelector("canvas")) return;
    watch.disconnect();
    window.setTimeout(() => history.replaceState(history.state, "", asked), 0);
  });
  watch.observe(root, { childList: true, subtree: true });
}

const root = document.getElementById("root");
if (root?.dataset["images"]) {
  window.PUBLIC_URL = root.dataset["base"] ?? "/";
  window.browserImportFunction = (name) => Promise.reject(new Error(`${name} is not installed.`));
  window.config = settings(root.dataset);
  open(root.dataset, root);
}
idleWarning(document.body);
