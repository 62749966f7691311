/* global SwaggerUIBundle, SwaggerUIStandalonePreset */
// Shows the description of the API.
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: false, // its links would be inside of buttons
    layout: "BaseLayout", // without a top bar, in which another description could be opened
    "validatorUrl": "none", // without a badge that a foreign site makes of the description's address
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl],
  });
};
