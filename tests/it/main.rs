//! Tests of the service from outside, on both databases.

mod api;
mod catalogue;
mod cli;
mod consistency;
mod db;
mod deploy;
mod documents;
mod exchange;
mod fuzz;
mod layers;
mod support;
mod web;
