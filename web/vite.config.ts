import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../build/console/site",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content policy allows data: for pictures alone
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
