//! `ETag`, `If-Match` and `If-None-Match`: conditional requests (RFC 9110, section 13).

use axum::http::{HeaderMap, StatusCode, header};

use crate::{http::problem::Problem, service::movies::Precondition};

/// Formats the entity tag of a version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Parses `If-Match`.
pub fn if_match(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let Some(tags) = entity_tags(headers, &header::IF_MATCH)? else { return Ok(Precondition::None) };
    if tags.iter().any(|tag| tag.opaque == "*") {
        return Ok(Precondition::None);
    }
    // Strong comparison, character by character: weak tags and other spellings, such as "03", match nothing.
    let version = |tag: &EntityTag| tag.opaque.parse().ok().filter(|v: &i64| v.to_string() == tag.opaque);
    Ok(Precondition::Versions(tags.iter().filter(|tag| !tag.weak).filter_map(version).collect()))
}

/// Returns whether `If-None-Match` has this version.
pub fn is_known(headers: &HeaderMap, version: i64) -> Result<bool, Problem> {
    let tags = entity_tags(headers, &header::IF_NONE_MATCH)?.unwrap_or_default();
    let version = version.to_string();
    Ok(tags.iter().any(|tag| tag.opaque == "*" || tag.opaque == version))
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

/// Parses a list of entity tags (RFC 9110, section 8.8.3), which may contain commas.
fn read_entity_tags(value: &str, tags: &mut Vec<EntityTag>) -> Option<()> {
    let mut rest = value.trim();
    if rest == "*" {
        tags.push(EntityTag { weak: false, opaque: rest.to_owned() });
        return Some(());
    }
    loop {
        let (weak, tag) = rest.strip_prefix("W/").map_or((false, rest), |tag| (true, tag));
        let (opaque, behind) = tag.strip_prefix('"')?.split_once('"')?;
        tags.push(EntityTag { weak, opaque: opaque.to_owned() });
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(());
        }
        rest = rest.strip_prefix(',')?.trim_start();
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
        let if_match = |value| if_match(&headers(header::IF_MATCH, value)).ok();
        assert_eq!(if_match("*"), Some(Precondition::None));
        assert_eq!(if_match("\"3\", \"4\""), Some(Precondition::Versions(vec![3, 4])));
        assert_eq!(if_match("W/\"3\""), Some(Precondition::Versions(vec![])));
        for foreign in ["\"abc\"", "\"03\"", "\"+3\"", "\"\""] {
            assert_eq!(if_match(foreign), Some(Precondition::Versions(vec![])), "{foreign}");
        }
        assert_eq!(if_match("\"a b,c\" ,\"3\""), Some(Precondition::Versions(vec![3])));
        for bad in ["3", "\"3", "3\"", "\"3\",", "\"3\" \"4\"", "*, \"3\"", ""] {
            assert_eq!(if_match(bad), None, "{bad}");
        }
        let known = |value| is_known(&headers(header::IF_NONE_MATCH, value), 3).ok();
        assert_eq!(known("W/\"3\""), Some(true));
        assert_eq!(known("\"2\""), Some(false));
        assert_eq!(known("*"), Some(true));
    }
}
