//! `/add` and `/edit/{id}`: adds or edits a film with the same form.

mod conflict;
mod page;
mod values;

pub use page::{add, blank, delete, hints, save, show};
