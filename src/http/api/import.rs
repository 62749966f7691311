//! `POST /movie` with a file, which is spooled to disk and then imported.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;

use crate::{
    domain::Field,
    exchange::{Encoding, FileKind, ImportOptions},
    http::{
        Shared,
        answer::Answer,
        extract::{
            idempotency::Key,
            query::{Params, boolean},
            upload::{Spool, Spooled},
        },
        problem::Problem,
    },
    service::{Editor, import},
};

/// Values of `charset` that need no `encoding`; UTF-16 is detected by its byte order mark.
const CHARSETS: [&str; 4] = ["utf-8", "utf-16", "utf-16le", "utf-16be"];

pub(super) async fn import(
    state: &Shared,
    editor: &Editor,
    uri: &Uri,
    kind: FileKind,
    request: Request,
) -> Result<Response, Problem> {
    let _slot = state.bulk_writes.take(editor.identity())?;
    let mut key = Key::of(&request)?;
    let options = options(uri)?;
    let charset = request.headers().get(header::CONTENT_TYPE).and_then(charset);
    let known = |charset: &str| CHARSETS.iter().any(|known| known.eq_ignore_ascii_case(charset));
    if options.encoding.is_none() && charset.is_some_and(|charset| !known(charset)) {
        let detail = "the file must be in UTF-8, or in UTF-16 with a byte order mark; encoding=NAME in the query gives another encoding";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let file = spool(state, request.into_body(), &mut key).await?;
    let reader = file.again()?;
    let report = import::import(&state.app, editor, reader, kind, options, key.finish()).await?;
    Ok(Answer(report).into_response())
}

fn options(uri: &Uri) -> Result<ImportOptions, Problem> {
    let mut params = Params::of(uri);
    let mut options = ImportOptions {
        source: params.choice(),
        encoding: params.one("encoding", Encoding::parse),
        rating_scale: params.one("ratingScale", ImportOptions::parse_rating_scale),
        on_duplicate: params.choice(),
        on_error: params.choice(),
        title_too_long: params.choice(),
        dry_run: params.one("dryRun", boolean).unwrap_or_default(),
        ..ImportOptions::default()
    };
    params.many("map", |text| options.add_column(text, Field::as_str));
    params.many("mapFormat", |text| options.add_format(text));
    params.many("default", |text| options.add_default(text, Field::as_str));
    params.finish()?;
    Ok(options)
}

fn charset(content_type: &HeaderValue) -> Option<&str> {
    let parameters = content_type.to_str().ok()?.split(';').skip(1);
    parameters.map(str::trim).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"'))
    })
}

/// Writes the body to an unnamed temporary file.
async fn spool(state: &Shared, mut body: Body, key: &mut Key) -> Result<Spooled, Problem> {
    let mut spool = Spool::open(&state.room)?;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body broke off; nothing was stored"))?;
        let Ok(data) = frame.into_data() else { continue };
        spool.write(&data)?;
        key.update(&data);
    }
    Ok(spool.finish())
}
