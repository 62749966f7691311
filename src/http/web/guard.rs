//! Requires a sign-in for the pages.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::pages::login;
use crate::http::{
    Shared,
    auth::{identify, pass},
    problem::Problem,
    web::parts::pending_form::PendingForm,
};

/// Passes requests of signed-in users; redirects others to the sign-in page and back.
pub async fn require(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    match identify(&state, &mut request).await {
        Ok(identity) => pass(&state, identity, request, next).await,
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            ask(&state, request).await.into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Redirects to the sign-in page, and from there back to the requested page. A submitted form is kept
/// meanwhile.
async fn ask(state: &Shared, request: Request) -> Result<Response, Problem> {
    let safe = request.method().is_safe();
    let place = request.uri().path_and_query().filter(|_| safe).map_or("/", |place| place.as_str());
    let next: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
    match PendingForm::of(request, state).await {
        None => Ok(Redirect::to(&format!("/login?next={next}")).into_response()),
        Some(kept) => login::show_with(&kept),
    }
}
