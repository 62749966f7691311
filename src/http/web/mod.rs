//! The web pages and what they are made of. They call the same operations as the API.
//!
//! A page imports parts and never another page; a part imports parts alone.

pub mod assets;
pub mod error;
pub mod guard;
pub mod pages;
pub mod parts;
