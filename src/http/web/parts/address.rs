//! Addresses of the collection and of pages about it: what is filtered, how it is sorted and seen.

use std::fmt;

use axum::http::Uri;

use crate::limits::MAX_QUERY_PARAMETERS;

/// The parameters that filter.
const FILTERS: [&str; 5] = ["q", "movieFormat", "rating", "releaseYear", "length"];

/// An address of the collection page, as its parameters. They have the names of the API's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address(Vec<(String, String)>);

impl Address {
    pub fn of(uri: &Uri) -> Self {
        Self(
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .take(MAX_QUERY_PARAMETERS)
                .collect(),
        )
    }

    /// The address that the page's form means: without the fields that were left empty, and with two
    /// years as one range. None where it is that address already.
    pub fn canonical(&self) -> Option<Self> {
        let of_form =
            |(name, value): &(String, String)| value.is_empty() || name == "yearFrom" || name == "yearTo";
        if !self.0.iter().any(of_form) {
            return None;
        }
        let mut tidy = Self(self.0.iter().filter(|pair| !of_form(pair)).cloned().collect());
        let (mut from, mut to) = (self.get("yearFrom").trim(), self.get("yearTo").trim());
        if let (Ok(first), Ok(last)) = (from.parse::<i64>(), to.parse::<i64>())
            && first > last
        {
            (from, to) = (to, from);
        }
        if from == to && !from.is_empty() {
            tidy = tidy.with("releaseYear", from);
        } else if !(from.is_empty() && to.is_empty()) {
            tidy = tidy.with("releaseYear", &format!("{from}..{to}"));
        }
        Some(tidy)
    }

    /// The first value of a parameter; nothing where it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// With this value of a parameter and no other.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut address = self.without(name);
        address.0.push((name.to_owned(), value.to_owned()));
        address
    }

    /// Without a parameter.
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(n, _)| n != name).cloned().collect())
    }

    /// Without one value of a parameter.
    pub fn without_value(&self, name: &str, value: &str) -> Self {
        Self(self.0.iter().filter(|(n, v)| n != name || v != value).cloned().collect())
    }

    /// The filters, and how the films are sorted and seen, without the place in the list.
    pub fn list_only(&self) -> Self {
        let is_of_list = |name: &str| FILTERS.contains(&name) || ["sort", "view"].contains(&name);
        Self(self.0.iter().filter(|(name, _)| is_of_list(name)).cloned().collect())
    }

    /// The filters alone, without how the films are sorted and seen.
    pub fn filters_only(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| FILTERS.contains(&name.as_str())).cloned().collect())
    }

    /// Without any filter.
    pub fn unfiltered(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| !FILTERS.contains(&name.as_str())).cloned().collect())
    }

    /// The address of another page, with these parameters.
    pub fn at(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{path}?{query}")
    }

    /// Sorted so. By title is how it is sorted where nothing is said.
    pub fn sorted(&self, sort: &str) -> Self {
        if sort == "title" { self.without("sort") } else { self.with("sort", sort) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_sends_becomes_the_address_that_it_means() {
        let canonical = |query: &str| {
            Address::of(&format!("/?{query}").parse().unwrap()).canonical().map(|address| address.to_string())
        };
        assert_eq!(canonical("q=heat&rating=4.."), None);
        assert_eq!(canonical(""), None);
        for (query, address) in [
            ("q=&movieFormat=DVD&movieFormat=VHS&rating=", "/?movieFormat=DVD&movieFormat=VHS"),
            ("q=&yearFrom=&yearTo=", "/"),
            ("yearFrom=1990&yearTo=", "/?releaseYear=1990.."),
            ("yearFrom=&yearTo=1999", "/?releaseYear=..1999"),
            ("yearFrom=1999&yearTo=1990", "/?releaseYear=1990..1999"),
            ("yearFrom=1995&yearTo=+1995", "/?releaseYear=1995"),
            ("yearFrom=then&yearTo=now", "/?releaseYear=then..now"),
        ] {
            assert_eq!(canonical(query).as_deref(), Some(address), "{query}");
        }
    }
}
