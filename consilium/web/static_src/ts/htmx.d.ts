declare module "htmx.org/dist/htmx.esm.js" {
  const htmx: {
    onLoad(callback: (element: Element) => void): void;
    process(element: Element): void;
  };
  export default htmx;
}
