//! Checks the URLs of the service in the documents.

use std::collections::BTreeMap;

use reelshelf::http;
use reqwest::Method;
use serde_json::Value;

use super::{
    Document, documents, made_up,
    markdown::{code, shell_blocks},
    shell,
};
use crate::{
    on_both,
    support::{Answer, Service},
};

/// Prefixes of file paths, logs and JSON pointers.
const NO_ROUTES: [&str; 12] = [
    "changes",
    "data",
    "dev",
    "etc",
    "mnt",
    "operations",
    "reelshelf",
    "root",
    "tmp",
    "usr",
    "var",
    "colour",
];
const METHODS: [&str; 5] = ["GET", "POST", "PATCH", "DELETE", "PUT"];

/// An optional method and a path without its query.
type Route = (Option<String>, String);

fn route(method: Option<&str>, address: &str) -> Option<Route> {
    let path = address.split(['?', '#']).next()?;
    let first = path.strip_prefix('/')?.split('/').next()?;
    let is_path = path.chars().all(|c| c.is_ascii_alphanumeric() || "/{}._-".contains(c));
    let is_route = path == "/" || !first.is_empty() && !NO_ROUTES.contains(&first);
    (is_path && is_route).then(|| (method.map(str::to_owned), path.to_owned()))
}

fn routes(document: &Document) -> Vec<Route> {
    let mut found = Vec::new();
    for code in code(&document.text) {
        let words: Vec<&str> = code.split(' ').collect();
        // Such as "`GET`, `PATCH` and `DELETE /movie/{id}`": methods before a path belong to it.
        found.extend(match words[..] {
            [method, address] if METHODS.contains(&method) => route(Some(method), address),
            [address] => route(None, address),
            _ => None,
        });
    }
    for command in shell_blocks(&document.text).iter().flat_map(|block| shell::commands(block)) {
        let method = command.iter().position(|word| word == "-X").and_then(|at| command.get(at + 1));
        let addresses = command.iter().filter_map(|word| word.strip_prefix("$RS"));
        found.extend(addresses.filter_map(|address| route(method.map(String::as_str), address)));
    }
    found
}

/// Returns the paths of the description with their methods.
fn described() -> BTreeMap<String, Vec<String>> {
    let description = serde_json::to_value(http::openapi()).expect("a description");
    let paths = description["paths"].as_object().expect("paths").iter();
    let methods = |operations: &Value| operations.as_object().expect("operations").keys().cloned().collect();
    paths.map(|(path, operations)| (path.clone(), methods(operations))).collect()
}

/// Returns whether a path matches one of the description.
fn matches(described: &str, path: &str) -> bool {
    let (described, path): (Vec<_>, Vec<_>) = (described.split('/').collect(), path.split('/').collect());
    let is_same = |(described, part): (&&str, &&str)| described.starts_with('{') || described == part;
    described.len() == path.len() && described.iter().zip(&path).all(is_same)
}

/// Returns whether the API has the route, or the service has a page there.
async fn is_there(service: &Service, (method, path): &Route) -> bool {
    let has_method =
        |methods: &Vec<String>| method.as_ref().is_none_or(|method| methods.contains(&method.to_lowercase()));
    if described().iter().any(|(described, methods)| matches(described, path) && has_method(methods)) {
        return true;
    }
    let path = path.replace("{id}", "1").replace("{name}", "viewer");
    let method = method.as_deref().map_or(Method::GET, |method| method.parse().expect("a method"));
    let answer = Answer::of(service.request(method, &path)).await;
    // A page may require a query.
    answer.status != 405 && !answer.text.contains("there is nothing at this address")
}

on_both! {
    async fn every_address_that_a_document_names_exists(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let mut number = 0;
        for document in documents() {
            for route in routes(&document) {
                // Metrics have a separate address, tested elsewhere.
                let is_metrics = route.1 == "/metrics";
                assert!(is_metrics || is_there(service, &route).await, "{}: {route:?}", document.path);
                number += 1;
            }
        }
        assert!(number > 100, "the addresses are found");
        let wrong = made_up("`/nothing`, `PUT /movie`, `GET /movie/{id}/nothing`, `DELETE /statistics`, `/statistics`");
        let mut missing = Vec::new();
        for route in routes(&wrong) {
            if !is_there(service, &route).await {
                missing.push(route.1);
            }
        }
        assert_eq!(missing, ["/nothing", "/movie", "/movie/{id}/nothing", "/statistics"], "what is missing is found");
    }
}
