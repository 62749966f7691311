//! Violations of a submitted form, shown beside its fields.

use axum::http::StatusCode;

use crate::{
    documents::Violation,
    domain::{AllChecked, Checked, Invalid, Violations},
    http::problem::Problem,
    service::Error,
};

/// The errors of a form.
pub struct FormErrors {
    /// The id of the form.
    form: String,
    problem: Problem,
}

impl FormErrors {
    /// Collects the errors of a form.
    ///
    /// # Errors
    /// Errors that do not belong to the form: faults of the service, missing permissions, missing resources.
    pub fn new(form: impl Into<String>, error: Error) -> Result<Self, Problem> {
        let problem = Problem::from(error);
        let status = problem.status();
        if status.is_server_error() || [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status) {
            return Err(problem);
        }
        Ok(Self { form: form.into(), problem })
    }

    /// Returns the status of the page.
    pub fn status(&self) -> StatusCode {
        self.problem.status()
    }

    /// Returns whether the errors are of this form.
    pub fn is_of(&self, form: &str) -> bool {
        self.form == form
    }

    /// Returns the violation of a field.
    pub fn beside(&self, form: &str, field: &str) -> Option<&str> {
        let at = |violation: &&Violation| violation.name() == field;
        let violation = self.problem.document.errors.iter().find(at).filter(|_| self.is_of(form));
        violation.map(|violation| violation.detail.as_str())
    }

    /// Returns the error of the form that belongs to no field.
    pub fn with(&self, form: &str) -> Option<String> {
        (self.is_of(form) && self.problem.document.errors.is_empty())
            .then(|| format!("Not done: {}.", self.problem.document.detail))
    }
}

/// Reads the fields of a form and collects all violations.
#[derive(Default)]
pub struct FormReader(Violations);

impl FormReader {
    /// Reads a field.
    pub fn field<T>(&mut self, name: &str, value: Result<T, Invalid>) -> Checked<T> {
        self.0.at(format!("/{name}"), value)
    }

    /// Returns the values, if there was no violation.
    pub fn finish<C: AllChecked>(self, read: C) -> Result<C::Values, Error> {
        self.0.finish(read).map_err(Error::Invalid)
    }
}
