//! The kinds of problems. Each has a page under `/docs/errors/`, to which its `type` refers.

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    MalformedRequest,
    InvalidParameters,
    NotSignedIn,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    Conflict,
    UndoConflict,
    PreconditionFailed,
    ContentTooLarge,
    AddressTooLong,
    UnsupportedMediaType,
    InvalidFields,
    ImportRejected,
    UnreadableFile,
    KeyReused,
    TooManySignIns,
    TooManyAtOnce,
    HeadTooLarge,
    InternalError,
    Unavailable,
}

/// The content of the page of a kind.
pub struct ProblemPage {
    /// The last segment of its path.
    pub slug: &'static str,
    pub status: u16,
    /// In a few words.
    pub title: &'static str,
    /// The cause.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// A correct request, as shell commands, with a token in `TOKEN`.
    pub example: &'static str,
    /// The specification of the status.
    pub standard: &'static str,
}

const fn page(
    slug: &'static str,
    status: u16,
    title: &'static str,
    [cause, remedy, example, standard]: [&'static str; 4],
) -> ProblemPage {
    ProblemPage { slug, status, title, cause, remedy, example, standard }
}

/// A request that creates a film.
const CREATE: &str = "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/movie \\\n  \
     --json '{\"title\": \"Heat\", \"movieFormat\": \"DVD\", \"length\": 170, \"releaseYear\": 1995, \"rating\": 5}'";

impl ProblemKind {
    /// All kinds, by status.
    pub const ALL: [Self; 23] = [
        Self::MalformedRequest,
        Self::InvalidParameters,
        Self::NotSignedIn,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::Conflict,
        Self::UndoConflict,
        Self::PreconditionFailed,
        Self::ContentTooLarge,
        Self::AddressTooLong,
        Self::UnsupportedMediaType,
        Self::InvalidFields,
        Self::ImportRejected,
        Self::UnreadableFile,
        Self::KeyReused,
        Self::TooManySignIns,
        Self::TooManyAtOnce,
        Self::HeadTooLarge,
        Self::InternalError,
        Self::Unavailable,
    ];

    /// Returns the kind of a page.
    #[must_use]
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.page().slug == slug)
    }

    /// Returns the path of its page, which is the `type` of the problem document.
    #[must_use]
    pub fn address(self) -> String {
        format!("/docs/errors/{}", self.page().slug)
    }

    /// Returns the content of its page.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    pub const fn page(self) -> ProblemPage {
        match self {
            Self::MalformedRequest => page(
                "malformed-request",
                400,
                "The request cannot be read",
                [
                    "The body is not valid JSON, a header has a value that its rule does not allow, the address is not UTF-8, \
                 or the body broke off.",
                    "Read `detail`: it names the place. Let a library write the JSON instead of joining strings.",
                    CREATE,
                    "RFC 9110, section 15.5.1; JSON is RFC 8259",
                ],
            ),
            Self::InvalidParameters => page(
                "invalid-parameters",
                400,
                "Parameters of the query are invalid",
                [
                    "The query has a parameter that does not exist here, or a value that its parameter does not allow. \
                 `errors` names each one in `parameter`, with a `code`.",
                    "Correct every parameter that `errors` names. Ranges are written with two dots.",
                    "curl -H \"Authorization: Bearer $TOKEN\" \\\n  \
                 'http://localhost:8080/movie?rating=4..&sort=-rating,title&limit=20'",
                    "RFC 9110, section 15.5.1",
                ],
            ),
            Self::NotSignedIn => page(
                "not-signed-in",
                401,
                "You are not signed in",
                [
                    "The request has no credentials, or they are wrong: a token that was revoked or has expired, a wrong \
                 name or password, a session that has ended. The answer does not say which.",
                    "Send an API token as `Authorization: Bearer`, or a name and a password as Basic. Owners create tokens \
                 with `reelshelf token create`, everybody on the page Account.",
                    "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/me",
                    "RFC 9110, section 15.5.2; RFC 6750 (Bearer); RFC 7617 (Basic)",
                ],
            ),
            Self::Forbidden => page(
                "forbidden",
                403,
                "The role does not allow it",
                [
                    "You are signed in, but your role or the role of your token does not allow this. Viewers read, editors \
                 also change films, owners also manage users. A page of another site is rejected, too.",
                    "Ask an owner for another role, or use a token with a higher role.",
                    "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/me",
                    "RFC 9110, section 15.5.4",
                ],
            ),
            Self::NotFound => page(
                "not-found",
                404,
                "There is nothing at this address",
                [
                    "The path is wrong, or it names a movie, a change, a user, a token or a session that does not exist. \
                 Paths are in the singular and end without a slash.",
                    "Check the path. The history of a deleted movie stays at `/movie/{id}/history`.",
                    "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/movie",
                    "RFC 9110, section 15.5.5",
                ],
            ),
            Self::MethodNotAllowed => page(
                "method-not-allowed",
                405,
                "The method is not allowed at this address",
                [
                    "The path exists, but not for this method. The header `Allow` names the allowed methods.",
                    "Use one of the methods in `Allow`. Movies are changed with PATCH, not with PUT.",
                    "curl -H \"Authorization: Bearer $TOKEN\" -X PATCH http://localhost:8080/movie/7 \\\n  \
                 --json '{\"rating\": 4}'",
                    "RFC 9110, section 15.5.6",
                ],
            ),
            Self::NotAcceptable => page(
                "not-acceptable",
                406,
                "The list has no such format",
                [
                    "The header `Accept` asks only for media types that the service does not have.",
                    "Ask for application/json, application/x-ndjson or text/csv, or leave `Accept` out.",
                    "curl -H \"Authorization: Bearer $TOKEN\" -H 'Accept: text/csv' http://localhost:8080/movie",
                    "RFC 9110, section 15.5.7",
                ],
            ),
            Self::RequestTimeout => page(
                "request-timeout",
                408,
                "The request did not arrive in time",
                [
                    "The body took longer to arrive than the service waits.",
                    "Send the request again over a faster connection. Nothing was stored.",
                    "curl -H \"Authorization: Bearer $TOKEN\" --data-binary @films.csv \\\n  \
                 -H 'content-type: text/csv' http://localhost:8080/movie",
                    "RFC 9110, section 15.5.9",
                ],
            ),
            Self::Conflict => page(
                "conflict",
                409,
                "The current state does not allow it",
                [
                    "The request conflicts with existing data: the user name is taken, the last owner would go, the limit \
                 of tokens is reached, or the first owner exists already.",
                    "Read `detail`, resolve the conflict, and send the request again.",
                    "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/user",
                    "RFC 9110, section 15.5.10",
                ],
            ),
            Self::UndoConflict => page(
                "undo-conflict",
                409,
                "Later changes conflict with the undo",
                [
                    "A movie of this change was changed again later, or the change was already undone. `changes` lists the \
                 ids of the conflicting changes.",
                    "Undo the listed changes first, the newest first. An undo can itself be undone.",
                    "curl -H \"Authorization: Bearer $TOKEN\" -X POST http://localhost:8080/history/42/undo",
                    "RFC 9110, section 15.5.10",
                ],
            ),
            Self::PreconditionFailed => page(
                "precondition-failed",
                412,
                "The movie has another version",
                [
                    "`If-Match`, or the `version` of an operation in a batch, names a version that is not the current one: \
                 somebody else changed the movie. Nothing was stored.",
                    "Read the movie again, compare, and send the request with the new `ETag`.",
                    "curl -H \"Authorization: Bearer $TOKEN\" -X PATCH http://localhost:8080/movie/7 -H 'If-Match: \"3\"' \\\n  \
                 --json '{\"rating\": 4}'",
                    "RFC 9110, sections 13.1.1 and 15.5.13",
                ],
            ),
            Self::ContentTooLarge => page(
                "content-too-large",
                413,
                "The body is too large",
                [
                    "The body has more bytes than this operation accepts. The limits are in docs/security.md.",
                    "Split the request, or import a file, which may be much larger than a JSON body.",
                    "curl -H \"Authorization: Bearer $TOKEN\" --data-binary @films.csv \\\n  \
                 -H 'content-type: text/csv' http://localhost:8080/movie",
                    "RFC 9110, section 15.5.14",
                ],
            ),
            Self::AddressTooLong => page(
                "address-too-long",
                414,
                "The address is too long",
                [
                    "The path and the query together are longer than the service reads.",
                    "Shorten the query, or use fewer filters.",
                    "curl -H \"Authorization: Bearer $TOKEN\" 'http://localhost:8080/movie?q=lord+rings'",
                    "RFC 9110, section 15.5.15",
                ],
            ),
            Self::UnsupportedMediaType => page(
                "unsupported-media-type",
                415,
                "The body has another media type",
                [
                    "`Content-Type` is missing or names an unsupported type, the body is compressed, or \
                 `charset` names an encoding that needs the option `encoding`.",
                    "Set `Content-Type`. `Accept-Post`, `Accept-Patch` or `Accept` of the answer lists the supported types.",
                    CREATE,
                    "RFC 9110, section 15.5.16",
                ],
            ),
            Self::InvalidFields => page(
                "invalid-fields",
                422,
                "Fields are invalid",
                [
                    "The body is valid JSON, and fields of it break rules. `errors` lists every violation: `pointer` is the \
                 place (RFC 6901), `code` the kind of rule, `detail` the rule in words.",
                    "Correct every field that `errors` names. A program should decide by `code`, and show `detail` to people.",
                    CREATE,
                    "RFC 9110, section 15.5.21",
                ],
            ),
            Self::ImportRejected => page(
                "import-refused",
                422,
                "Rows of the file are invalid",
                [
                    "Rows of the file are invalid, and with `onError=abort`, the default, nothing was stored. `report` lists \
                 the rows with their titles and reasons.",
                    "Correct the rows, give missing values with `default`, map columns and media with `map` \
                 and `mapFormat`, or import the other rows with `onError=skip`. `dryRun=true` tries it first.",
                    "curl -H \"Authorization: Bearer $TOKEN\" --data-binary @ratings.csv \\\n  \
                 -H 'content-type: text/csv' 'http://localhost:8080/movie?default=movieFormat:DVD&default=length:0&dryRun=true'",
                    "RFC 9110, section 15.5.21",
                ],
            ),
            Self::UnreadableFile => page(
                "unreadable-file",
                422,
                "The file cannot be imported",
                [
                    "The file is empty, is in another encoding, or its header does not name the columns of a known layout.",
                    "Read `detail`, or the `hints` of `reason`. Name the columns with `map=FIELD:COLUMN`, and the encoding with `encoding`.",
                    "curl -H \"Authorization: Bearer $TOKEN\" --data-binary @films.csv \\\n  \
                 -H 'content-type: text/csv' 'http://localhost:8080/movie?map=title:Film&map=releaseYear:Jahr&encoding=windows-1252'",
                    "RFC 9110, section 15.5.21; RFC 4180 (CSV)",
                ],
            ),
            Self::KeyReused => page(
                "idempotency-key-reused",
                422,
                "The key belongs to another request",
                [
                    "The same `Idempotency-Key` came with another request within 24 hours.",
                    "Use a new random key for each request, and the same key only to send the same request again.",
                    "KEY=$(openssl rand -hex 16)\ncurl -H \"Authorization: Bearer $TOKEN\" -H \"Idempotency-Key: $KEY\" \\\n  \
                 -X POST http://localhost:8080/history/42/undo",
                    "draft-ietf-httpapi-idempotency-key-header (IETF)",
                ],
            ),
            Self::TooManySignIns => page(
                "too-many-sign-ins",
                429,
                "Too many failed sign-ins",
                [
                    "Too many wrong passwords came from this address within a minute, for this user or for all users.",
                    "Wait for the seconds in `Retry-After`. Scripts should use an API token.",
                    "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/me",
                    "RFC 6585, section 4",
                ],
            ),
            Self::TooManyAtOnce => page(
                "too-many-at-once",
                429,
                "Too many requests of one user at once",
                [
                    "One user has reached the limit of imports and batches, or of event streams, at once.",
                    "End one of them, or wait until one has ended; `Retry-After` says when to try again.",
                    "curl -H \"Authorization: Bearer $TOKEN\" -N http://localhost:8080/events",
                    "RFC 6585, section 4",
                ],
            ),
            Self::HeadTooLarge => page(
                "head-too-large",
                431,
                "The head of the request is too large",
                [
                    "The header fields together are larger than the service reads, or there are too many of them.",
                    "Send fewer or shorter header fields. Large cookies of other programs on the same host are a usual cause.",
                    "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/me",
                    "RFC 6585, section 5",
                ],
            ),
            Self::InternalError => page(
                "internal-error",
                500,
                "Something went wrong in the service",
                [
                    "The program or its machine failed. The answer has no internal details; the log has them.",
                    "Give the `X-Request-Id` of the answer to the administrator, who finds it in the log.",
                    "curl -i -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/me",
                    "RFC 9110, section 15.6.1",
                ],
            ),
            Self::Unavailable => page(
                "unavailable",
                503,
                "The service cannot answer at the moment",
                [
                    "The database cannot be reached, the collection is still being loaded, too many sign-ins wait, or there \
                 is no room for an import.",
                    "Wait for the seconds in `Retry-After` and send the request again. A `POST` with an `Idempotency-Key` \
                 can be repeated without doing anything twice.",
                    "curl -H \"Authorization: Bearer $TOKEN\" --retry 5 http://localhost:8080/movie",
                    "RFC 9110, section 15.6.4",
                ],
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_an_address_of_its_own_and_a_page() {
        let slugs: HashSet<&str> = ProblemKind::ALL.into_iter().map(|kind| kind.page().slug).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            let page = kind.page();
            assert_eq!(ProblemKind::of_slug(page.slug), Some(kind));
            assert!(page.slug.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", page.slug);
            for text in [page.title, page.cause, page.remedy, page.example, page.standard] {
                assert!(!text.is_empty(), "{}", page.slug);
            }
        }
        assert!(ProblemKind::ALL.is_sorted_by_key(|kind| kind.page().status));
    }
}
