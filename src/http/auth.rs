//! Authentication of requests: Bearer, Basic or session cookie.

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    Shared,
    cookies::{self, SetCookie},
    extract::client::{Client, is_cross_site, request_context},
    problem::Problem,
};
use crate::{
    domain::{Password, UserName, Violations},
    limits::{MAX_SESSION_COOKIES_TRIED, SESSION_LIFETIME},
    service::{
        Editor, Error, Identity, Owner, Viewer,
        audit::{Actor, Refusal, RequestContext},
        auth::{self, Browser, Secret},
        setup,
    },
};

/// Requires a signed-in user; otherwise responds with 401.
pub async fn require(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let identity = match identify(&state, &mut request).await {
        Ok(identity) => identity,
        Err(problem) => return challenge(problem, request.headers()).into_response(),
    };
    pass(&state, identity, request, next).await
}

/// Passes an authenticated request on, with its identity for handlers and error pages. A rejection because of
/// the role or a limit goes to the audit log.
pub async fn pass(state: &Shared, identity: Identity, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(identity.clone());
    let operation = Operation::of(&request);
    let mut response = next.run(request).await;
    let refusal = match response.status() {
        StatusCode::FORBIDDEN => Some(Refusal::Role),
        StatusCode::TOO_MANY_REQUESTS => Some(Refusal::UserLimit),
        status if status.as_u16() < 400 => return response,
        _ => None,
    };
    if let Some(refusal) = refusal {
        state.app.audit_refusal(&(&identity).into(), refusal, operation.text().as_deref());
    }
    response.extensions_mut().insert(identity);
    response
}

/// The method and route of a request, without the path values that the client chose.
struct Operation(Method, Option<MatchedPath>);

impl Operation {
    fn of(request: &Request) -> Self {
        Self(request.method().clone(), request.extensions().get().cloned())
    }

    fn text(&self) -> Option<String> {
        let Self(method, route) = self;
        route.as_ref().map(|route| format!("{method} {}", route.as_str()))
    }
}

/// Authenticates a request. Takes `&mut`, since a shared reference to a body is not `Send`.
pub async fn identify(state: &Shared, request: &mut Request) -> Result<Identity, Problem> {
    let app = &state.app;
    let headers = request.headers();
    let from = request_context(request.extensions(), headers, state);
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let (scheme, credentials) =
            authorization.to_str().ok().and_then(|a| a.split_once(' ')).unwrap_or(("", ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(auth::bearer(app, from, credentials.trim()).await?);
        }
        let pair = STANDARD.decode(credentials.trim()).ok().and_then(|pair| String::from_utf8(pair).ok());
        if scheme.eq_ignore_ascii_case("basic")
            && let Some((name, password)) = pair.as_deref().and_then(|pair| pair.split_once(':'))
        {
            refuse_cross_site(request, state)?; // browsers send cached Basic credentials like cookies
            return Ok(Box::pin(auth::basic(app, from, name, password)).await?);
        }
        app.audit_refusal(&Actor::unknown("authorization", &from), Refusal::Authorization, None);
        return Err(Error::Unauthenticated("Authorization must be Bearer TOKEN or Basic (RFC 7617)").into());
    }
    let presented = presented(headers, Client::of(request.extensions(), headers, state).https);
    if presented.is_empty() {
        return Err(Error::Unauthenticated("sign in first").into());
    }
    refuse_cross_site(request, state)?;
    Ok(Box::pin(auth::session(app, from, &presented)).await?)
}

/// Rejects a request from another site's page (cross-site request forgery).
pub fn refuse_cross_site(request: &Request, state: &Shared) -> Result<(), Problem> {
    if request.method().is_safe() || !is_cross_site(request, state) {
        return Ok(());
    }
    let from = request_context(request.extensions(), request.headers(), state);
    let actor = Actor::unknown("page", &from);
    state.app.audit_refusal(&actor, Refusal::CrossSite, Operation::of(request).text().as_deref());
    Err(Problem::new(StatusCode::FORBIDDEN, "a page of another site may not do this in your name"))
}

/// Adds the `WWW-Authenticate` challenges, except for our own pages: browsers would open a sign-in dialog
/// over them.
pub fn challenge(problem: Problem, headers: &HeaderMap) -> Problem {
    if problem.status() != StatusCode::UNAUTHORIZED || is_of_page(headers) {
        return problem;
    }
    problem
        .with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"Reelshelf\", charset=\"UTF-8\""),
        )
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Reelshelf\""))
}

/// Returns whether one of our pages sent a request: by its session, by `Sec-Fetch-Site`, or, since browsers send the
/// latter to https and localhost only, by the page's address in `Origin` or `Referer`.
fn is_of_page(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_ours = |name| {
        let address = headers.get(name).and_then(|value| value.to_str().ok());
        let behind_scheme = address.and_then(|address| Some(address.split_once("://")?.1));
        let authority = behind_scheme.and_then(|rest| rest.split('/').next());
        authority.zip(host).is_some_and(|(sender, host)| sender.eq_ignore_ascii_case(host))
    };
    [true, false].into_iter().any(|https| !presented(headers, https).is_empty())
        || headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
        || [header::ORIGIN, header::REFERER].into_iter().any(is_ours)
}

/// Returns the browser of a sign-in.
pub fn browser(headers: &HeaderMap, request: RequestContext, Client { https, .. }: Client) -> Browser {
    let user_agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Browser {
        request,
        user_agent: user_agent.unwrap_or_default().to_owned(),
        presented: presented(headers, https),
    }
}

/// Returns the session cookies of a request: a browser may send several of the same name.
fn presented(headers: &HeaderMap, https: bool) -> Vec<Secret> {
    cookies::values(headers, cookies::SESSION, https)
        .take(MAX_SESSION_COOKIES_TRIED)
        .map(Secret::presented)
        .collect()
}

/// Creates the session cookie, with the lifetime of a session.
pub fn session_cookie(session: &Secret) -> SetCookie {
    SetCookie::new(cookies::SESSION, session.reveal().to_owned(), SESSION_LIFETIME.as_secs())
}

fn identity(parts: &Parts) -> Result<Identity, Problem> {
    let identity = parts.extensions.get::<Identity>().cloned();
    identity.ok_or_else(|| Error::Failed("a route without a check asks who is signed in".to_owned()).into())
}

impl FromRequestParts<Shared> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        Ok(identity(parts)?.into())
    }
}

impl FromRequestParts<Shared> for Editor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        Ok(identity(parts)?.try_into()?)
    }
}

impl FromRequestParts<Shared> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        Ok(identity(parts)?.try_into()?)
    }
}

/// Creates the first owner and signs them in.
///
/// # Errors
/// [`Error::Forbidden`] if the code is wrong; [`Error::Conflict`] if a user exists already;
/// [`Error::Invalid`] with all violations of the fields.
pub async fn make_first_owner(
    state: &Shared,
    browser: Browser,
    code: &str,
    name: &str,
    password: &str,
) -> Result<(Secret, Identity), Error> {
    finish_setup(state, &browser.request, code, name, password).await?;
    auth::login(&state.app, browser, name, password).await
}

async fn finish_setup(
    state: &Shared,
    from: &RequestContext,
    code: &str,
    name: &str,
    password: &str,
) -> Result<(), Error> {
    // The code is checked before the password, which costs a hash computation.
    setup::check(&state.app, from, code).await?;
    let mut violations = Violations::default();
    let name = violations.at("/name", UserName::parse_new(name));
    let password = violations.at("/password", Password::parse(password, name.value()));
    let (name, password) = violations.finish((name, password)).map_err(Error::Invalid)?;
    setup::finish(&state.app, from, code, &name, password).await
}
