//! Reelshelf: a service for a collection of films.
//!
//! | module | job |
//! |---|---|
//! | [`domain`] | movies, lists, users as types that can only hold what is valid |
//! | [`db`] | SQLite and PostgreSQL behind one door; all SQL |
//! | [`service`] | the operations: rules, rights, transactions |
//! | [`exchange`] | import and export |
//! | [`json`] | strict JSON, with every violation at once |

pub mod db;
pub mod domain;
pub mod exchange;
pub mod json;
pub mod service;
