//! The OpenAPI description: its content, and that it is true.

use reelshelf::{
    domain::{
        Field, Length, Limit, MovieFormat, Password, Rating, ReleaseYear, Role, SortKey, Title, TokenName,
        UserName,
    },
    limits::MAX_BATCH_OPERATIONS,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, Service},
};

/// The public operations.
const OPEN: [&str; 6] =
    ["GET /login", "POST /login", "GET /setup", "POST /setup", "GET /health/live", "GET /health/ready"];

async fn description(service: &Service) -> Value {
    let answer = Answer::of(service.anonymous(Method::GET, "/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer:?}");
    answer.json()
}

/// Returns every operation by its name, such as `GET /movie/{id}`.
fn operations(description: &Value) -> Vec<(String, Value)> {
    let paths = description["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().expect("operations").clone();
        methods
            .into_iter()
            .map(|(method, said)| (format!("{} {path}", method.to_uppercase()), said))
            .collect()
    };
    paths.iter().flat_map(|entry| -> Vec<_> { of_path(entry) }).collect()
}

/// Creates a request for an operation, with ids that do not exist.
fn request(service: &Service, operation: &str, token: Option<&str>) -> reqwest::RequestBuilder {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let path = path.replace("{id}", "987654321").replace("{name}", "nobody");
    let request = service.anonymous(method.parse().expect("a method"), &path);
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

/// `docs/openapi.json` is for people: a change of the API shows in its diff. `make openapi` renews it.
#[test]
fn the_description_is_the_one_in_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let description = reelshelf::http::openapi();
    assert_eq!(description.info.version, env!("CARGO_PKG_VERSION"));
    let generated = serde_json::to_string_pretty(&description).unwrap() + "\n";
    if std::env::var_os("REELSHELF_RENEW_OPENAPI").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    let lines = generated.lines().zip(committed.lines()).enumerate();
    for (index, (generated, committed)) in lines {
        assert_eq!(generated, committed, "line {} of docs/openapi.json: run `make openapi`", index + 1);
    }
    assert!(generated == committed, "docs/openapi.json has another end: run `make openapi`");
}

on_both! {
    async fn everybody_gets_the_description(service: &Service) {
        let given = description(service).await;
        assert_eq!(given["openapi"], "3.1.0");
        assert_eq!(given, serde_json::to_value(reelshelf::http::openapi()).unwrap());
    }
}

#[test]
fn its_limits_are_those_of_the_domain() {
    let description = serde_json::to_value(reelshelf::http::openapi()).unwrap();
    let schema = |name: &str| description["components"]["schemas"][name].clone();
    let numbers = [
        ("Length", Length::MIN, Length::MAX),
        ("ReleaseYear", ReleaseYear::MIN, ReleaseYear::MAX),
        ("Rating", Rating::MIN, Rating::MAX),
    ];
    for (name, min, max) in numbers {
        let schema = schema(name);
        assert_eq!((&schema["minimum"], &schema["maximum"]), (&json!(min), &json!(max)), "{name}");
        assert_eq!(schema["type"], "integer", "{name}");
    }
    let texts = [
        ("Title", Title::MIN_CHARS, Title::MAX_CHARS),
        ("UserName", 1, UserName::MAX_CHARS),
        ("TokenTitle", 1, TokenName::MAX_CHARS),
        ("NewPassword", Password::MIN_CHARS, Password::MAX_CHARS),
    ];
    for (name, min, max) in texts {
        let schema = schema(name);
        assert_eq!((&schema["minLength"], &schema["maxLength"]), (&json!(min), &json!(max)), "{name}");
        assert_eq!(schema["type"], "string", "{name}");
    }
    assert_eq!(schema("MovieFormat")["enum"], json!(MovieFormat::ALL.map(MovieFormat::as_str)));
    assert_eq!(schema("RoleName")["enum"], json!(Role::ALL.map(Role::as_str)));
    assert_eq!(schema("UserName")["pattern"], UserName::PATTERN);

    assert_eq!(schema("Batch")["properties"]["operations"]["maxItems"], MAX_BATCH_OPERATIONS);

    let query = description["paths"]["/movie"]["get"]["parameters"].as_array().unwrap().clone();
    let parameter = |name: &str| query.iter().find(|p| p["name"] == name).unwrap()["schema"].clone();
    let limit = parameter("limit");
    assert_eq!((&limit["minimum"], &limit["maximum"]), (&json!(Limit::MIN), &json!(Limit::MAX)));
    for key in SortKey::ALL {
        assert!(parameter("sort")["pattern"].as_str().unwrap().contains(key.as_str()), "{key:?}");
    }
    for name in ["Movie", "NewMovie", "MovieChanges"] {
        for field in Field::ALL {
            let property = &schema(name)["properties"][field.as_str()];
            assert!(property["$ref"].is_string(), "{name}: {field:?}: {property}");
        }
        assert_eq!(schema(name)["additionalProperties"], false, "{name}");
    }
    assert_eq!(schema("NewMovie")["required"].as_array().unwrap().len(), Field::ALL.len());
    assert_eq!(schema("MovieChanges")["required"], Value::Null);
}

/// Returns the targets of all references in a description.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let description = serde_json::to_value(reelshelf::http::openapi()).unwrap();
    let references = references(&description);
    assert!(references.len() > 100, "{}", references.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the description");
        assert!(description.pointer(pointer).is_some_and(Value::is_object), "{reference}");
    }
}

#[test]
fn every_operation_tells_its_errors_and_who_may() {
    let description = serde_json::to_value(reelshelf::http::openapi()).unwrap();
    assert_eq!(description["security"], json!([{"basic": []}, {"bearer": []}, {"session": []}]));
    let schemes = &description["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["bearer"]["scheme"], &schemes["basic"]["scheme"]),
        (&json!("bearer"), &json!("basic"))
    );
    assert_eq!(
        (&schemes["session"]["in"], &schemes["session"]["name"]),
        (&json!("cookie"), &json!("reelshelf_session"))
    );
    let operations = operations(&description);
    assert!(operations.len() > 20, "{}", operations.len());
    for (name, said) in operations {
        let open = OPEN.contains(&name.as_str());
        assert_eq!(said.get("security").cloned(), open.then(|| json!([{}])), "{name}");
        assert!(said["summary"].is_string() && said["tags"].is_array(), "{name}");
        let responses = said["responses"].as_object().unwrap();
        let mut statuses = vec!["500", "503"];
        if !open {
            statuses.extend(["401", "429"]);
        }
        if name.contains('{') {
            statuses.push("404");
        }
        if said.get("requestBody").is_some() {
            statuses.extend(["400", "413", "415", "422"]);
        }
        for status in statuses {
            assert!(responses.contains_key(status), "{name}: {status}");
        }
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}");
        for (status, response) in responses {
            assert!(response["description"].is_string(), "{name}: {status}");
            if status.starts_with(['4', '5']) {
                let schema = &response["content"]["application/problem+json"]["schema"];
                assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{name}: {status}");
            }
        }
    }
}

on_both! {
    async fn who_is_not_signed_in_is_answered_as_described(service: &Service) {
        for (name, said) in operations(&description(service).await) {
            if said.get("security").is_some() {
                let status = Answer::of(request(service, &name, None)).await.status;
                assert!(
                    OPEN.contains(&name.as_str()) && [200, 303, 415].contains(&status),
                    "{name}: {status}"
                );
                continue;
            }
            assert!(said["responses"]["401"].is_object(), "{name}");
            for token in [None, Some(""), Some("rsh_made-up"), Some("not even that")] {
                let answer = Answer::of(request(service, &name, token)).await;
                answer.problem(401);
                let ways: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
                assert_eq!(
                    ways,
                    ["Basic realm=\"Reelshelf\", charset=\"UTF-8\"", "Bearer realm=\"Reelshelf\""],
                    "{name}"
                );
            }
        }
    }
}

on_both! {
    async fn who_may_not_is_answered_as_described(service: &Service) {
        for (name, said) in operations(&description(service).await) {
            let tag = said["tags"][0].as_str().expect("a tag");
            let least = match tag {
                "users" => Some(&service.editor),
                "movies" if !name.starts_with("GET ") => Some(&service.viewer),
                _ => None,
            };
            let Some(token) = least else { continue };
            assert!(said["responses"]["403"].is_object(), "{name}");
            Answer::of(request(service, &name, Some(token)).json(&json!({}))).await.problem(403);
        }
    }
}

on_both! {
    async fn every_operation_is_there_and_no_other(service: &Service) {
        let operations = operations(&description(service).await);
        for (name, _) in &operations {
            let (method, path) = name.split_once(' ').expect("a method and a path");
            let answer = Answer::of(request(service, &format!("PUT {path}"), Some(&service.owner))).await;
            answer.problem(405);
            let allow: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
            assert!(allow.contains(&method), "{name}: {allow:?}");
            for allowed in allow.into_iter().filter(|allowed| *allowed != "HEAD") {
                assert!(
                    operations.iter().any(|(n, _)| *n == format!("{allowed} {path}")),
                    "{allowed} {path}"
                );
            }
        }
    }
}

on_both! {
    async fn the_page_of_the_description_comes_from_here_alone(service: &Service) {
        let get = async |path: &str| Answer::of(service.anonymous(Method::GET, path)).await;
        let page = get("/docs/").await;
        assert_eq!(page.status, 200, "{page:?}");
        let to_page = get("/docs").await;
        assert!([301, 303, 307, 308].contains(&to_page.status), "{to_page:?}");
        assert!(["/docs/", "docs/"].contains(&to_page.header("location")), "{to_page:?}");
        // What the page is made of; its other links are for people to follow.
        let mut parts = vec![("/docs/".to_owned(), page.text.replace("http://localhost:8080", "").replace("https://github.com/reelshelf/reelshelf/", ""))];
        for element in ["<script src=\"", "<link rel=\"stylesheet\" href=\"", "<link rel=\"icon\" href=\""] {
            for link in page.text.split(element).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(link.starts_with("/docs/"), "{link}");
                let part = get(link).await;
                assert_eq!((part.status, part.text.is_empty()), (200, false), "{link}");
                parts.push((link.to_owned(), part.text.replace("http://localhost:8080", "")));
            }
        }
        assert_eq!(page.text.matches("<script").count() + page.text.matches("<link").count() + 1, parts.len());
        assert!(parts.len() >= 5, "{:?}", parts.iter().map(|(name, _)| name).collect::<Vec<_>>());
        // The library's own script names places in its messages; what it is told to fetch, it is told here.
        for (name, text) in
            parts.iter().filter(|(name, _)| !name.contains("bundle") && !name.contains("preset"))
        {
            let mut hosts = text
                .match_indices("://")
                .map(|(at, _)| &text[at.saturating_sub(5)..(at + 40).min(text.len())]);
            assert_eq!(hosts.find(|host| !host.contains("www.w3.org")), None, "{name}");
        }
        let start = parts.iter().find(|(name, _)| name.contains("initializer")).expect("the start");
        assert!(start.1.contains("/openapi.json"), "{}", start.1);
        assert!(
            start.1.contains("\"validatorUrl\": \"none\""),
            "nobody else is asked whether it is valid: {}",
            start.1
        );
    }
}
