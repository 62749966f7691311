//! The message on the page after something was done, with Undo where that can be. A cookie that lives until
//! the next page names it, so that it does not come again with a bookmark or another visit.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};

use super::words;
use crate::{
    domain::{Limit, Role},
    http::{Shared, auth::cookie, problem::Problem},
    service::{Error, Viewer, changes},
};

const COOKIE: &str = "reelshelf_notice";
/// How long it waits for the next page, in seconds.
const PATIENCE: u32 = 60;

/// What is told that is no change of the collection: a name and a sentence.
const SENTENCES: [(&str, &str); 2] =
    [("unchanged", "Nothing was changed."), ("deleted", "The film was deleted already.")];

/// A message.
pub struct Notice {
    pub text: String,
    /// The change that can be undone.
    pub undo: Option<i64>,
}

impl Notice {
    /// The message that is to be told with this request.
    pub async fn of(state: &Shared, viewer: &Viewer, headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(name) = cookie(headers, COOKIE) else { return Ok(None) };
        let sentence = SENTENCES.iter().find(|(known, _)| *known == name);
        if let Some((_, sentence)) = sentence {
            return Ok(Some(Self { text: (*sentence).to_owned(), undo: None }));
        }
        let Ok(id) = name.parse() else { return Ok(None) };
        match changes::get(&state.app, viewer, id, None, Limit::TO_LOOK_AT).await {
            Ok(page) => {
                let change = page.items;
                let undo = (viewer.role >= Role::Editor && change.undone_by.is_none()).then_some(change.id);
                Ok(Some(Self { text: format!("{}.", words::change(&change)), undo }))
            }
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The cookie once it was told.
    pub fn told() -> HeaderValue {
        HeaderValue::from_static("reelshelf_notice=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    }
}

/// Leads on to a page that tells of a change; of none, that nothing was changed.
pub fn changed(place: &str, change: Option<i64>) -> Response {
    told(place, &change.map_or_else(|| "unchanged".to_owned(), |id| id.to_string()))
}

/// Leads on to a page that tells a sentence, by its name.
pub fn told(place: &str, name: &str) -> Response {
    let cookie = format!("{COOKIE}={name}; Path=/; HttpOnly; SameSite=Lax; Max-Age={PATIENCE}");
    ([(header::SET_COOKIE, cookie)], Redirect::to(place)).into_response()
}
