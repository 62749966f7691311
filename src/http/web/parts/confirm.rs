//! A page that asks before a large change.

use askama::Template;

use super::page_context::PageContext;

/// The question, with a form for "yes" and a link for "no".
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct Confirm<'a> {
    pub context: Option<&'a PageContext>,
    pub question: String,
    pub note: String,
    /// The URL of the form, and its fields by name.
    pub action: &'static str,
    pub fields: Vec<(&'static str, String)>,
    pub button: String,
    /// The page to return to.
    pub back: &'a str,
}
