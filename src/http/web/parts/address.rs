//! URLs of the collection and of pages about it: filters, order and view.

use std::fmt;

use axum::http::Uri;

use crate::limits::MAX_QUERY_PARAMETERS;

/// The filter parameters.
const FILTERS: [&str; 5] = ["q", "movieFormat", "rating", "releaseYear", "length"];

/// The parameters of a collection URL, named like those of the API's list.
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

    /// Returns the canonical URL of the form, without empty fields and with two years as one range, if it
    /// differs.
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

    /// Returns the first value of a parameter, or "".
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// Replaces the values of a parameter.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut address = self.without(name);
        address.0.push((name.to_owned(), value.to_owned()));
        address
    }

    /// Removes a parameter.
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(n, _)| n != name).cloned().collect())
    }

    /// Removes one value of a parameter.
    pub fn without_value(&self, name: &str, value: &str) -> Self {
        Self(self.0.iter().filter(|(n, v)| n != name || v != value).cloned().collect())
    }

    /// Keeps filters, order and view, without the position in the list.
    pub fn list_only(&self) -> Self {
        let is_of_list = |name: &str| FILTERS.contains(&name) || ["sort", "view"].contains(&name);
        Self(self.0.iter().filter(|(name, _)| is_of_list(name)).cloned().collect())
    }

    /// Keeps only the filters.
    pub fn filters_only(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| FILTERS.contains(&name.as_str())).cloned().collect())
    }

    /// Removes all filters.
    pub fn unfiltered(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| !FILTERS.contains(&name.as_str())).cloned().collect())
    }

    /// Returns the URL of another page with these parameters.
    pub fn at(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{path}?{query}")
    }

    /// Sets the order; by title is the default.
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
