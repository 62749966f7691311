//! The service, tested from outside on both databases.

mod api;
mod cli;
mod db;
mod support;
mod web;
