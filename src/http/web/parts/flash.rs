//! The message on the page after an operation, with Undo if possible. A short-lived cookie names it, so that
//! it does not reappear with a bookmark or later visit.

use axum::{
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};

use super::words;
use crate::{
    documents::Change,
    domain::{ChangeId, MovieId, Role},
    format,
    http::{
        Shared,
        cookies::{self, SetCookie},
        problem::Problem,
        web::parts::page_size,
    },
    limits::MAX_UNCONFIRMED_FILMS,
    service::{Error, Viewer, history, selection::Done},
};

/// The lifetime of the cookie, in seconds.
const LIFETIME_SECONDS: u64 = 60;

/// Messages that are not about changes, by name.
const SENTENCES: [(&str, &str); 13] = [
    ("unchanged", "Nothing was changed."),
    ("deleted", "The film was deleted already."),
    ("unselected", "No film is selected."),
    ("gone", "The films no longer exist."),
    ("password", "The new password is set, and all sessions have ended. Sign in with it."),
    ("session-ended", "The session has ended."),
    ("sessions-ended", "All other sessions have ended."),
    ("all-sessions-ended", "All sessions have ended."),
    ("tokens-revoked", "All tokens are revoked."),
    ("token-revoked", "The token is revoked."),
    ("user-added", "The user was added."),
    ("user-changed", "The user was changed, and has to sign in again."),
    ("user-removed", "The user was removed, with all sessions and tokens."),
];

/// A message.
pub struct Flash {
    pub text: String,
    /// The film that it is about, if it exists.
    pub film: Option<FlashFilm>,
    pub undo: Option<FlashUndo>,
}

/// The undo button of a message.
pub struct FlashUndo {
    pub change: ChangeId,
    pub label: String,
    /// Whether the service asks for a confirmation.
    pub asks: bool,
}

/// A film whose title is a link in a message.
pub struct FlashFilm {
    pub id: MovieId,
    pub title: String,
    /// The text before and after the title.
    pub before: String,
    pub after: String,
    /// Whether it was added or restored.
    pub is_new: bool,
}

impl FlashFilm {
    fn of(change: &Change, text: &str) -> Option<Self> {
        let (1, [effect]) = (change.movies, change.effects.as_slice()) else { return None };
        let film = effect.after.as_ref()?;
        let title = words::title(film);
        let (before, after) = text.split_once(&title)?;
        let (before, after) = (before.to_owned(), after.to_owned());
        Some(Self { id: film.id, title, before, after, is_new: effect.before.is_none() })
    }
}

impl Flash {
    /// Returns the message of a request.
    pub async fn of(
        state: &Shared,
        viewer: &Viewer,
        headers: &HeaderMap,
        https: bool,
    ) -> Result<Option<Self>, Problem> {
        if let Some(sentence) = Self::sentence(headers, https) {
            return Ok(Some(Self { text: sentence.to_owned(), film: None, undo: None }));
        }
        let Some(name) = cookies::values(headers, cookies::FLASH, https).next() else { return Ok(None) };
        let (id, gone) = name.split_once('.').unwrap_or((name, "0"));
        let (Ok(id), Ok(gone)) = (id.parse(), gone.parse()) else { return Ok(None) };
        match history::get(&state.app, viewer, id, None, page_size::FULL).await {
            Ok(page) => {
                let change = page.items;
                let undo =
                    (viewer.identity().role >= Role::Editor && change.undone_by.is_none()).then(|| {
                        FlashUndo {
                            change: change.id,
                            label: words::undo(change.movies),
                            asks: change.movies > MAX_UNCONFIRMED_FILMS.into(),
                        }
                    });
                let mut text = format!("{}.", words::change(&change));
                match gone {
                    0 => {}
                    1 => text.push_str(" 1 film no longer existed."),
                    gone => text = format!("{text} {} no longer existed.", format::films(gone)),
                }
                let film = FlashFilm::of(&change, &text);
                Ok(Some(Self { text, film, undo }))
            }
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the message of a request, if it is not about a change.
    pub fn sentence(headers: &HeaderMap, https: bool) -> Option<&'static str> {
        let name = cookies::values(headers, cookies::FLASH, https).next()?;
        SENTENCES.iter().find(|(known, _)| *known == name).map(|(_, sentence)| *sentence)
    }

    /// Returns the cookie that removes a shown message.
    pub const fn removed_cookie() -> SetCookie {
        SetCookie::removed(cookies::FLASH)
    }
}

/// Redirects with a message about a change, or that nothing was changed.
pub fn redirect_after_change(place: &str, change: Option<ChangeId>) -> Response {
    redirect_with_flash(place, &change.map_or_else(|| "unchanged".to_owned(), |id| id.to_string()))
}

/// Redirects with a message about a bulk edit.
pub fn redirect_after_selection(place: &str, done: &Done) -> Response {
    match (done.change, done.gone) {
        (None, 1..) => redirect_with_flash(place, "gone"),
        (Some(change), gone @ 1..) => redirect_with_flash(place, &format!("{change}.{gone}")),
        (change, 0) => redirect_after_change(place, change),
    }
}

/// Redirects with a message, given by name.
pub fn redirect_with_flash(place: &str, name: &str) -> Response {
    (SetCookie::new(cookies::FLASH, name.to_owned(), LIFETIME_SECONDS), Redirect::to(place)).into_response()
}
