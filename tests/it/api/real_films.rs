//! Real films: imported, paged through, exported.

use std::{collections::BTreeMap, path::Path, process::Command, sync::LazyLock};

use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, films::empty},
};

/// A package of the npm registry with 3,201 films, and the version of it that is counted here.
const PACKAGE: &str = "vega-datasets@3.2.1";

/// The films as CSV: whole stars for ratings up to ten, and nothing where nothing is known.
static FILMS: LazyLock<String> = LazyLock::new(|| {
    let films: Vec<Value> = serde_json::from_slice(&package_file("package/data/movies.json")).expect("JSON");
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["title", "length", "releaseYear", "rating"]).expect("a row");
    for film in films {
        let text = |name: &str| match &film[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let released = text("Release Date");
        let year = released.rsplit(' ').next().unwrap_or_default();
        let rating =
            film["IMDB Rating"].as_f64().map_or(String::new(), |ten| format!("{:.0}", (ten / 2.0).round()));
        csv.write_record([&text("Title"), &text("Running Time min"), year, &rating]).expect("a row");
    }
    String::from_utf8(csv.into_inner().expect("rows")).expect("text")
});

fn package_file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let tarball = folder.join(format!("{}.tgz", PACKAGE.replace('@', "-")));
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).current_dir(folder).output();
        let done = done.unwrap_or_else(|e| panic!("{program}: {e}"));
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    };
    if !tarball.exists() {
        run("npm", &["pack", "--silent", PACKAGE]);
    }
    run("tar", &["-xOf", &tarball.to_string_lossy(), name])
}

/// How many rows were refused for which reason.
fn reasons(report: &Value) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for error in report["errors"].as_array().expect("errors") {
        let detail = error["detail"].as_str().expect("a detail");
        let detail = detail.split([',', ';']).next().unwrap_or_default();
        let field = error["field"].as_str().unwrap_or("row");
        *reasons.entry(format!("{field} {detail}")).or_default() += 1;
    }
    reasons
}

on_both! {
    async fn real_films_come_in_are_paged_and_go_out(service: &Service) {
        let defaults = "?default=movieFormat:DVD&default=length:0";
        let aborted = service.import("text/csv", defaults, FILMS.as_str()).await;
        assert_eq!(aborted.problem(422)["report"]["failed"], 219);
        assert_eq!(service.get("/movie").await.json(), json!([]));

        let report = service.import("text/csv", &format!("{defaults}&onError=skip"), FILMS.as_str()).await.json();
        let counts = ["read", "created", "updated", "skipped", "failed"].map(|name| report[name].as_u64());
        assert_eq!(counts, [Some(3201), Some(2982), Some(0), Some(0), Some(219)]);
        // A row may break two rules: 221 errors in 219 rows.
        let expected = [("rating is missing", 213), ("title is missing", 1), ("title must have at most 50 characters", 7)];
        assert_eq!(reasons(&report), expected.map(|(reason, count)| (reason.to_owned(), count)).into());
        let again = service.import("text/csv", &format!("{defaults}&onError=skip"), FILMS.as_str()).await.json();
        assert_eq!((&again["created"], &again["skipped"]), (&json!(0), &json!(2982)));

        let mut paged: Vec<Value> = Vec::new();
        let mut next = Some("/movie?sort=title&limit=100".to_owned());
        while let Some(path) = next {
            let page = service.get(&path).await;
            paged.extend(page.json().as_array().expect("a page").iter().cloned());
            let link = page.header("link");
            next = link.strip_prefix('<').and_then(|link| link.split_once('>')).map(|(path, _)| path.to_owned());
        }
        assert_eq!(json!(paged), service.get("/movie?sort=title").await.json());
        let title = |n: usize| paged[n]["title"].as_str().expect("a title");
        assert_eq!([title(0), title(1), title(paged.len() - 1)], ["2 Fast 2 Furious", "3:10 to Yuma", "Zwartboek"]);

        let export = |path: &'static str| async move {
            let request = service.request(reqwest::Method::GET, path).header("accept", "text/csv");
            Answer::of(request).await.text
        };
        let exported = export("/movie").await;
        assert_eq!(exported.lines().count(), 1 + 2982);
        empty(service).await;
        let back = service.import("text/csv", "?onDuplicate=add", exported.clone()).await.json();
        assert_eq!(back["created"], 2982, "{back}");
        let attributes = |csv: &str| -> Vec<String> {
            let mut rows = csv::Reader::from_reader(csv.as_bytes());
            let of = |row: csv::StringRecord| row.iter().skip(1).take(5).collect::<Vec<_>>().join("|");
            rows.records().map(|row| of(row.expect("a row"))).collect()
        };
        assert_eq!(attributes(&exported), attributes(&export("/movie").await));
    }
}
