//! The user of a page, and the frame of all pages.

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};

use super::flash::Flash;
use crate::{
    domain::{ChangeId, Role},
    http::{Shared, extract::client::Client, problem::Problem},
    service::{Error, Identity, Viewer, history},
};

/// The navigation: path, label, icon and least role. Items without an icon are in the menu "More" on narrow
/// screens.
const NAV_ITEMS: [(&str, &str, &str, Role); 6] = [
    ("/", "Films", "films", Role::Viewer),
    ("/tonight", "Tonight", "tonight", Role::Viewer),
    ("/statistics", "Statistics", "", Role::Viewer),
    ("/changes", "Changes", "changes", Role::Viewer),
    ("/import", "Import", "", Role::Editor),
    ("/add", "Add", "add", Role::Editor),
];

/// The context of a page.
pub struct PageContext {
    pub viewer: Viewer,
    /// A message about the last operation.
    flash: Option<Flash>,
    /// The URL of the page, to return to.
    pub place: String,
    /// The latest change that the page shows; later ones are announced as news.
    pub newest: Option<ChangeId>,
}

impl PageContext {
    /// Creates a context without a message and without news.
    pub fn bare(identity: Identity, place: String) -> Self {
        Self { viewer: identity.into(), flash: None, place, newest: None }
    }

    /// Returns whether the user is an owner.
    pub fn is_owner(&self) -> bool {
        self.viewer.identity().role >= Role::Owner
    }

    /// Returns whether the user may change films.
    pub fn may_edit(&self) -> bool {
        self.viewer.identity().role >= Role::Editor
    }

    /// Returns the message, which is shown once.
    pub const fn flash(&self) -> Option<&Flash> {
        self.flash.as_ref()
    }

    /// Returns the navigation for the user's role: path, label and icon.
    pub fn nav_items(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let permitted = NAV_ITEMS.iter().filter(|(.., role)| self.viewer.identity().role >= *role);
        permitted.map(|(path, label, icon, _)| (*path, *label, *icon))
    }

    /// Returns the first letter of the user's name.
    pub fn initial(&self) -> String {
        self.viewer.identity().name.as_str().chars().take(1).flat_map(char::to_uppercase).collect()
    }

    /// Returns whether this page is at a path.
    pub fn is_at(&self, path: &str) -> bool {
        self.place.split('?').next() == Some(path)
    }

    /// Renders a page for the user.
    pub fn page(&self, status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
        let mut answer = page(status, template)?;
        // No proxy may store it; the browser may show it again after "back".
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if self.flash.is_some() {
            Flash::removed_cookie().add_to(&mut answer);
        }
        Ok(answer)
    }
}

impl FromRequestParts<Shared> for PageContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Problem> {
        let viewer = Viewer::from_request_parts(parts, state).await?;
        let client = Client::of(&parts.extensions, &parts.headers, state);
        let flash = Flash::of(state, &viewer, &parts.headers, client.https).await?;
        let place = parts.uri.path_and_query().map_or("/", |place| place.as_str()).to_owned();
        let newest = Some(history::newest(&state.app, &viewer).await?);
        Ok(Self { viewer, flash, place, newest })
    }
}

/// Renders a page.
pub fn page(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|e| Error::Failed(format!("a page could not be rendered: {e}")))?;
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}
