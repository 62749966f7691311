//! Shared parts of pages.

pub mod address;
pub mod back;
pub mod change_entry;
pub mod confirm;
pub mod deleted_film;
pub mod film_card;
pub mod filters;
pub mod flash;
pub mod form_errors;
pub mod page_context;
pub mod page_size;
pub mod pending_form;
pub mod sections;
pub mod sessions_and_tokens;
pub mod shelf_list;
pub mod user_agent;
pub mod words;
