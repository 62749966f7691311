//! Checks the table of layers in ARCHITECTURE.md against the `use` paths of the source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A module path within the crate, such as `["http", "web", "pages"]`.
type Module = Vec<String>;

/// The layer of each module, and the layers that each layer may use.
struct Layers {
    by_module: BTreeMap<Module, String>,
    uses: BTreeMap<String, BTreeSet<String>>,
}

impl Layers {
    fn of_document() -> Self {
        let document = fs::read_to_string("ARCHITECTURE.md").unwrap();
        let (_, section) = document.split_once("\n## Layers\n").expect("the section");
        let section = section.split("\n## ").next().unwrap();
        let mut layers = Self { by_module: BTreeMap::new(), uses: BTreeMap::new() };
        for row in section.lines().filter(|line| line.starts_with("| ") && line.contains("`src/")) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, folders, uses, ..] = cells[..] else { panic!("{row}") };
            for folder in folders.split(", ") {
                let folder = folder.trim_matches('`');
                assert!(Path::new(folder).exists(), "{folder} is not there");
                layers.by_module.insert(module_of(Path::new(folder)), name.to_owned());
            }
            let uses = uses.split(", ").filter(|layer| *layer != "nothing").map(str::to_owned).collect();
            layers.uses.insert(name.to_owned(), uses);
        }
        layers
    }

    /// Returns the layer of the nearest enclosing module.
    fn of(&self, path: &[String]) -> Option<&String> {
        (1..=path.len()).rev().find_map(|length| self.by_module.get(&path[..length]))
    }
}

fn module_of(file: &Path) -> Module {
    let file = file.strip_prefix("src").unwrap().with_extension("");
    let mut module: Module = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    module.pop_if(|last| last == "mod");
    module
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Flattens a use tree such as `a::{self, b::c as d}` into paths.
fn flatten(tree: &str) -> Vec<Module> {
    let Some((before, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let before: Module =
        before.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let inside = inside.trim().strip_suffix('}').expect("an end");
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in inside.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(c);
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    let below = parts.flat_map(|part| flatten(part.trim()));
    below
        .map(|path| before.iter().cloned().chain(path.into_iter().filter(|part| part != "self")).collect())
        .collect()
}

/// Returns the paths within the crate that a file uses, except in its tests.
fn paths(module: &Module, text: &str) -> Vec<Module> {
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let is_within = |c: char| c.is_alphanumeric() || "_:{}, \n*".contains(c);
    let mut found = Vec::new();
    for (at, _) in
        code.match_indices("crate::").chain(code.match_indices("super::")).chain(code.match_indices("self::"))
    {
        if code[..at].ends_with([':', '_']) || code[..at].ends_with(char::is_alphanumeric) {
            continue; // within a longer path
        }
        let is_use = code[..at].trim_end().ends_with("use");
        let tree = if is_use {
            code[at..].split(';').next().unwrap()
        } else {
            let end = code[at..].find(|c: char| !is_within(c) || "{}, \n*".contains(c));
            &code[at..at + end.unwrap_or(code.len() - at)]
        };
        for path in flatten(tree.trim_end_matches(':')) {
            let mut base = module.clone();
            let mut rest = path.as_slice();
            while let [first, after @ ..] = rest {
                match first.as_str() {
                    "crate" => base.clear(),
                    "super" => drop(base.pop()),
                    "self" => {}
                    _ => break,
                }
                rest = after;
            }
            base.extend(rest.iter().cloned());
            found.push(base);
        }
    }
    found
}

#[test]
fn each_layer_uses_those_that_the_architecture_names() {
    let layers = Layers::of_document();
    let mut all = Vec::new();
    files(Path::new("src"), &mut all);
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in &all {
        let module = module_of(file);
        let Some(layer) = layers.of(&module) else {
            assert_eq!(module, ["lib"], "{} is in no layer", file.display());
            continue;
        };
        let text = fs::read_to_string(file).unwrap();
        // A mod.rs lists its submodules; its re-exports are no uses.
        let is_contents = file.ends_with("mod.rs");
        let paths =
            paths(&module, &text).into_iter().filter(|path| !is_contents || !path.starts_with(&module));
        for path in paths {
            let Some(other) = layers.of(&path).filter(|other| *other != layer) else { continue };
            if !layers.uses[layer].contains(other) {
                wrong.push(format!("{} ({layer}) uses {} ({other})", file.display(), path.join("::")));
            }
            used.entry(layer.clone()).or_default().insert(other.clone());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (layer, uses) in &layers.uses {
        let none = BTreeSet::new();
        let unused: Vec<&String> = uses.difference(used.get(layer).unwrap_or(&none)).collect();
        assert!(unused.is_empty(), "{layer} does not use {unused:?} any more");
    }
}

#[test]
fn a_mod_rs_only_lists_modules_and_re_exports() {
    let mut all = Vec::new();
    files(Path::new("src"), &mut all);
    for file in all.iter().filter(|file| file.ends_with("mod.rs")) {
        let text = fs::read_to_string(file).unwrap();
        let is_definition = |line: &&str| {
            let line = line.trim_start_matches("pub ").trim_start_matches("pub(super) ");
            ["struct ", "enum ", "trait ", "impl"].iter().any(|word| line.starts_with(word))
        };
        let defined: Vec<&str> = text.lines().filter(is_definition).collect();
        assert!(defined.is_empty(), "{} defines {defined:?}", file.display());
    }
}

#[test]
fn no_page_uses_another() {
    let pages = ["http", "web", "pages"].map(str::to_owned);
    let mut all = Vec::new();
    files(Path::new("src/http/web/pages"), &mut all);
    for file in &all {
        let module = module_of(file);
        let Some(page) = module.get(pages.len()) else { continue };
        for path in paths(&module, &fs::read_to_string(file).unwrap()) {
            let other = path.strip_prefix(&pages[..]).and_then(<[String]>::first);
            assert!(other.is_none_or(|other| other == page), "{} uses {}", file.display(), path.join("::"));
        }
    }
}

#[test]
fn trees_of_paths_are_read() {
    let read = |tree| flatten(tree).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(read("crate::a"), ["crate::a"]);
    assert_eq!(
        read("crate::{a::{self, b as c}, d::{e, f::g},\n}"),
        ["crate::a", "crate::a::b", "crate::d::e", "crate::d::f::g"]
    );
    let module = vec!["x".to_owned(), "y".to_owned()];
    let read = |text| paths(&module, text).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(
        read("use super::{z, w::v};\nlet a = crate::b::c(self::d);"),
        ["b::c", "x::z", "x::w::v", "x::y::d"]
    );
}
