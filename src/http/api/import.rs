//! `POST /movie` with a file: spooled to disk, then imported.

use std::io::{Seek, Write};

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;

use crate::{
    exchange::{FileKind, ImportOptions, OnDuplicate, OnError, Source, TitleTooLong},
    http::{
        Shared,
        once::Key,
        problem::Problem,
        query::{Params, boolean},
    },
    service::{Editor, Error, import},
};

/// The largest file that is taken, in bytes: 1 GiB, some ten million movies.
const LARGEST_FILE: u64 = 1 << 30;

/// What may stand as `charset`; UTF-16 is known by the file's byte order mark alone.
const CHARSETS: [&str; 4] = ["utf-8", "utf-16", "utf-16le", "utf-16be"];

pub(super) async fn import(
    state: &Shared,
    editor: &Editor,
    uri: &Uri,
    kind: FileKind,
    request: Request,
) -> Result<Response, Problem> {
    let mut key = Key::of(&request)?;
    let options = options(uri)?;
    let charset = request.headers().get(header::CONTENT_TYPE).and_then(charset);
    let known = |charset: &str| CHARSETS.iter().any(|known| known.eq_ignore_ascii_case(charset));
    if charset.is_some_and(|charset| !known(charset)) {
        let detail = "the file must be in UTF-8, or in UTF-16 with a byte order mark";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let file = spool(request.into_body(), &mut key).await?;
    let report = import::import(&state.app, editor, file, kind, options, key.once()).await?;
    Ok(Json(report).into_response())
}

fn options(uri: &Uri) -> Result<ImportOptions, Problem> {
    let mut params = Params::of(uri);
    let mut options = ImportOptions {
        source: params.one("source", Source::parse).unwrap_or_default(),
        on_duplicate: params.one("onDuplicate", OnDuplicate::parse).unwrap_or_default(),
        on_error: params.one("onError", OnError::parse).unwrap_or_default(),
        title_too_long: params.one("titleTooLong", TitleTooLong::parse).unwrap_or_default(),
        dry_run: params.one("dryRun", boolean).unwrap_or_default(),
        ..ImportOptions::default()
    };
    params.many("map", |text| options.add_column(text));
    params.many("mapFormat", |text| options.add_format(text));
    params.many("default", |text| options.add_default(text));
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

/// Writes the body to a file without a name, which is gone when it is closed.
async fn spool(mut body: Body, key: &mut Key) -> Result<std::fs::File, Problem> {
    let failed = |e: std::io::Error| Error::Failed(format!("an import could not be spooled: {e}"));
    let mut file = tempfile::tempfile().map_err(failed)?;
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body broke off; nothing was stored"))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len() as u64;
        if size > LARGEST_FILE {
            let detail = format!("a file of more than {LARGEST_FILE} bytes is not taken; split it");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        key.update(&data);
        // Pieces of some 16 KiB into the page cache: too short to be worth another thread.
        file.write_all(&data).map_err(failed)?;
    }
    file.rewind().map_err(failed)?;
    Ok(file)
}
