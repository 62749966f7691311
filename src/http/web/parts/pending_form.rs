//! A form that was submitted after the session had ended. It is kept during the sign-in and then sent on.

use askama::Template;
use axum::{
    extract::Request,
    http::{Method, StatusCode},
    response::Response,
};

use super::{
    back::local_place,
    page_context::{PageContext, page},
};
use crate::{
    http::{
        Shared,
        extract::{
            body::{media_type, read_up_to},
            client::is_cross_site,
            form::Form,
        },
        problem::Problem,
    },
    limits::{MAX_PENDING_FORM_BYTES, MAX_SELECTION_FIELDS},
};

/// A submitted form without its passwords, and its target.
pub struct PendingForm {
    to: String,
    /// The encoded fields, which take less memory than many strings.
    fields: String,
    /// Whether it had no password, so that it is complete.
    whole: bool,
}

#[derive(Template)]
#[template(path = "pending_form.html")]
struct PendingFormPage<'a> {
    context: Option<&'a PageContext>,
    kept: &'a PendingForm,
}

impl PendingForm {
    /// Reads a form of our own pages. Forms of other sites are dropped, since they would be sent on as ours.
    pub async fn of(request: Request, state: &Shared) -> Option<Self> {
        let is_form = media_type(request.headers()) == "application/x-www-form-urlencoded";
        if request.method() != Method::POST || !is_form || is_cross_site(&request, state) {
            return None;
        }
        let to = request.uri().path_and_query()?.as_str().to_owned();
        let body = read_up_to(MAX_PENDING_FORM_BYTES, request).await.ok()?;
        let fields = form_urlencoded::parse(&body);
        if fields.count() > MAX_SELECTION_FIELDS {
            return None;
        }
        let is_secret = |name: &str| name.to_ascii_lowercase().contains("password");
        let whole = !fields.clone().any(|(name, _)| is_secret(&name));
        let fields = fields.filter(|(name, _)| !is_secret(name));
        let fields = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Some(Self { to, fields, whole })
    }

    /// Reads the form that the sign-in page has sent back.
    pub fn of_login(form: &Form) -> Option<Self> {
        let to = Some(form.get("to")).filter(|to| !to.is_empty())?;
        let whole = form.get("keptWhole") == "yes";
        Some(Self { to: local_place(to).to_owned(), fields: form.get("kept").to_owned(), whole })
    }

    /// Returns its target.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Returns whether it is complete, so that it can be sent on without a question.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Returns the encoded fields.
    pub fn encoded(&self) -> &str {
        &self.fields
    }

    /// Returns the fields.
    pub fn fields(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.fields.as_bytes()).into_owned().take(MAX_SELECTION_FIELDS).collect()
    }

    /// Shows the signed-in user how to send it on.
    pub fn go_on(&self, context: &PageContext) -> Result<Response, Problem> {
        page(StatusCode::OK, &PendingFormPage { context: Some(context), kept: self })
    }
}
