//! The web pages. They call the same operations as the API.
//!
//! A page uses parts and never another page; a part uses only parts.

pub mod assets;
pub mod error;
pub mod guard;
pub mod pages;
pub mod parts;
