//! A form that was refused: its page is shown again, with what is wrong beside the fields.

use axum::http::StatusCode;

use crate::{
    domain::{AllChecked, Checked, Invalid, Place, Violation, Violations},
    http::problem::Problem,
    service::Error,
};

/// What is wrong with a form of a page.
pub struct FormErrors {
    /// Which of the page's forms it is.
    form: String,
    problem: Problem,
}

impl FormErrors {
    /// What was wrong with the form of that name.
    ///
    /// # Errors
    /// What is not for the form to tell: a fault of the service, a lack of rights, or of what it is about.
    pub fn new(form: impl Into<String>, error: Error) -> Result<Self, Problem> {
        let problem = Problem::from(error);
        let status = problem.status();
        if status.is_server_error() || [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status) {
            return Err(problem);
        }
        Ok(Self { form: form.into(), problem })
    }

    /// The status of the page that shows it.
    pub fn status(&self) -> StatusCode {
        self.problem.status()
    }

    /// Whether it is about that form.
    pub fn is_of(&self, form: &str) -> bool {
        self.form == form
    }

    /// The rule that a field of that form breaks.
    pub fn beside(&self, form: &str, field: &str) -> Option<&str> {
        let at = |v: &&Violation| matches!(&v.place, Place::Pointer(place) if place[1..] == *field);
        let violation = self.problem.errors().iter().find(at).filter(|_| self.is_of(form));
        violation.map(|violation| violation.detail.as_str())
    }

    /// What is wrong with that form and with none of its fields.
    pub fn with(&self, form: &str) -> Option<String> {
        (self.is_of(form) && self.problem.errors().is_empty())
            .then(|| format!("Not done: {}.", self.problem.detail))
    }
}

/// Reads the fields of a form, collecting all that is wrong with them.
#[derive(Default)]
pub struct FormReader(Violations);

impl FormReader {
    /// Takes what a field holds.
    pub fn field<T>(&mut self, name: &str, value: Result<T, Invalid>) -> Checked<T> {
        self.0.at(format!("/{name}"), value)
    }

    /// What was read, if nothing was wrong.
    pub fn finish<C: AllChecked>(self, read: C) -> Result<C::Values, Error> {
        self.0.finish(read).map_err(Error::Invalid)
    }
}
