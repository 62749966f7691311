//! `ETag`, `If-Match` and `If-None-Match`: conditional requests (RFC 9110, section 13).

use axum::http::{HeaderMap, StatusCode, header};

use crate::{
    http::problem::Problem,
    service::movies::{Precondition, Versions},
};

/// Formats the entity tag of a version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Parses `If-Match` and `If-None-Match` as the precondition of a change, where both result in 412 (section 13.2.2).
pub fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    Ok(Precondition { none_of: if_none_match(headers)?, ..if_match(headers)? })
}

/// Parses `If-Match`. It compares strongly, so weak tags match nothing (section 8.8.3.2).
pub fn if_match(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let one_of = entity_tags(headers, &header::IF_MATCH)?;
    let one_of = one_of.map(|tags| versions(tags.iter().filter(|tag| !tag.weak)));
    Ok(Precondition { one_of, none_of: None })
}

/// Returns whether `If-None-Match` has this version.
pub fn is_known(headers: &HeaderMap, version: i64) -> Result<bool, Problem> {
    Ok(if_none_match(headers)?.is_some_and(|versions| versions.contain(version)))
}

/// Parses `If-None-Match`. It compares weakly.
fn if_none_match(headers: &HeaderMap) -> Result<Option<Versions>, Problem> {
    Ok(entity_tags(headers, &header::IF_NONE_MATCH)?.map(|tags| versions(tags.iter())))
}

/// Tags are compared character by character: other spellings of a version, such as "03", match nothing.
fn versions<'a>(tags: impl Iterator<Item = &'a EntityTag> + Clone) -> Versions {
    if tags.clone().any(|tag| tag.opaque == "*") {
        return Versions::All;
    }
    let version = |tag: &EntityTag| tag.opaque.parse().ok().filter(|v: &i64| v.to_string() == tag.opaque);
    Versions::These(tags.filter_map(version).collect())
}

struct EntityTag {
    weak: bool,
    /// The tag without quotation marks; `*` means any.
    opaque: String,
}

fn entity_tags(headers: &HeaderMap, name: &header::HeaderName) -> Result<Option<Vec<EntityTag>>, Problem> {
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let read = value.to_str().ok().and_then(|value| read_entity_tags(value, &mut tags));
        read.ok_or_else(|| {
            let detail = format!("{name} must be * or a list of entity tags, such as \"3\"");
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })?;
    }
    Ok((!tags.is_empty()).then_some(tags))
}

/// Parses a list of entity tags (RFC 9110, section 8.8.3), which may contain commas. Empty elements are ignored
/// (section 5.6.1).
fn read_entity_tags(value: &str, tags: &mut Vec<EntityTag>) -> Option<()> {
    let mut rest = value.trim();
    if rest == "*" {
        tags.push(EntityTag { weak: false, opaque: rest.to_owned() });
        return Some(());
    }
    let between = |c: char| c == ',' || c.is_ascii_whitespace();
    rest = rest.trim_start_matches(between);
    loop {
        let (weak, tag) = rest.strip_prefix("W/").map_or((false, rest), |tag| (true, tag));
        let (opaque, behind) = tag.strip_prefix('"')?.split_once('"')?;
        tags.push(EntityTag { weak, opaque: opaque.to_owned() });
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(());
        }
        rest = rest.strip_prefix(',')?.trim_start_matches(between);
        if rest.is_empty() {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn preconditions_compare_strongly_and_weakly() {
        let if_match =
            |value| if_match(&headers(header::IF_MATCH, value)).ok().and_then(|found| found.one_of);
        assert_eq!(if_match("*"), Some(Versions::All));
        assert_eq!(if_match("\"3\", \"4\""), Some(Versions::These(vec![3, 4])));
        assert_eq!(if_match("W/\"3\""), Some(Versions::These(vec![])));
        for foreign in ["\"abc\"", "\"03\"", "\"+3\"", "\"\""] {
            assert_eq!(if_match(foreign), Some(Versions::These(vec![])), "{foreign}");
        }
        assert_eq!(if_match("\"a b,c\" ,\"3\""), Some(Versions::These(vec![3])));
        for list in ["\"3\",", ",\"3\"", " , ,\"3\", ,"] {
            assert_eq!(if_match(list), Some(Versions::These(vec![3])), "{list}");
        }
        for bad in ["3", "\"3", "3\"", "\"3\" \"4\"", "*, \"3\"", "", ","] {
            assert_eq!(if_match(bad), None, "{bad}");
        }
        let both = HeaderMap::from_iter([
            (header::IF_MATCH, "*".parse().unwrap()),
            (header::IF_NONE_MATCH, "W/\"3\"".parse().unwrap()),
        ]);
        let both = precondition(&both).ok().unwrap();
        assert_eq!(both.one_of, Some(Versions::All));
        assert_eq!(both.none_of, Some(Versions::These(vec![3])), "weak comparison");
        let known = |value| is_known(&headers(header::IF_NONE_MATCH, value), 3).ok();
        assert_eq!(known("W/\"3\""), Some(true));
        assert_eq!(known("\"2\""), Some(false));
        assert_eq!(known("*"), Some(true));
    }
}
