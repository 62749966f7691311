//! Reelshelf: a service for a collection of films.
//!
//! | module | job |
//! |---|---|
//! | [`domain`] | movies, lists, users as types that can only hold what is valid |
//! | [`catalogue`] | all movies in memory, arranged for queries |
//! | [`db`] | SQLite and PostgreSQL behind one door; all SQL |
//! | [`service`] | the operations: rules, rights, transactions |
//! | [`exchange`] | import and export |
//! | [`backup`] | the file of a backup |
//! | [`documents`] | the JSON documents of the API, one type each |
//! | [`json`] | strict JSON, with every violation at once |
//! | [`format`] | numbers, lengths, stars and moments as people read them |
//! | [`output_file`] | a file that is written where a user says |
//! | [`http`] | the API and the pages |
//! | [`log`] | what the log shows |
//! | [`serve`] | running the service: listen, become ready, end gracefully |
//! | [`cli`] | the command line |

pub mod backup;
pub mod catalogue;
pub mod cli;
pub mod db;
pub mod documents;
pub mod domain;
pub mod exchange;
pub mod format;
pub mod http;
pub mod json;
pub mod limits;
pub mod log;
pub mod output_file;
pub mod serve;
pub mod service;
