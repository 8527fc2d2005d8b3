//! Every file that there is: the shipped scenarios, the blocks of the documentation, the fixtures.

use std::fmt;
use std::path::{Path, PathBuf};

use evkit_hil::bench::Bench;
use evkit_hil::document::{Content, Diagnostic, Document};
use evkit_hil::scenario;

/// Which of the kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scenario,
    Fragment,
    Bench,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Scenario, Self::Fragment, Self::Bench];

    fn of(name: &str) -> Self {
        if name.contains("/bench-") {
            Self::Bench
        } else if name.contains("/fragment-") {
            Self::Fragment
        } else {
            Self::Scenario
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scenario => "scenario",
            Self::Fragment => "fragment",
            Self::Bench => "bench",
        })
    }
}

/// A file, or a block of one.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

impl Sample {
    pub(crate) fn load(&self) -> Result<(), Vec<Diagnostic>> {
        let file = Path::new(&self.name);
        match self.kind {
            Kind::Scenario => scenario::load_text(file, &self.text, None).map(drop),
            Kind::Fragment => {
                let name = file.file_name().unwrap().to_str().unwrap();
                let text = format!("format: 1\nscenario: s\nsteps: [ include: {{ file: {name}, with: {{ {} }} }} ]\n", self.parameters());
                scenario::load_text(&file.with_file_name("including.yaml"), &text, None).map(drop)
            }
            Kind::Bench => Bench::load_text(file, &self.text).map(drop),
        }
    }

    /// What a fragment's parameters without a value are given.
    fn parameters(&self) -> String {
        let Ok(document) = Document::parse(Path::new(&self.name), self.text.as_bytes()) else { return String::new() };
        let parameters = document.root().find("parameters").into_iter().flat_map(|parameters| parameters.entries());
        let lacking =
            parameters.filter(|parameter| matches!(parameter.node().content, Content::Nothing)).filter_map(|parameter| parameter.key());
        lacking.map(|name| format!("{name}: {}", if name == "time" { "1 s" } else { "ATI0" })).collect::<Vec<_>>().join(", ")
    }
}

/// The files of fixtures/refused that are UTF-8, by name.
pub(crate) fn refused() -> Vec<Sample> {
    let of = |path: PathBuf| {
        let name = path.display().to_string();
        let kind = Kind::of(&name);
        Some(Sample { name, kind, text: String::from_utf8(std::fs::read(&path).unwrap()).ok()? })
    };
    yaml_in("fixtures/refused").into_iter().filter_map(of).collect()
}

/// All of them.
pub(crate) fn all() -> Vec<Sample> {
    let mut all = refused();
    for path in yaml_in("scenarios") {
        all.push(Sample { name: path.display().to_string(), kind: Kind::Scenario, text: std::fs::read_to_string(&path).unwrap() });
    }
    for path in yaml_in("fixtures/fragments").into_iter().chain(yaml_in("docs/examples")) {
        all.push(Sample { name: path.display().to_string(), kind: Kind::Fragment, text: std::fs::read_to_string(&path).unwrap() });
    }
    let documents = std::fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    for path in documents.chain([PathBuf::from("README.md")]).filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (index, block) in text.split("\n```yaml\n").skip(1).enumerate() {
            let block = block.split("```").next().unwrap();
            let kind = if block.lines().any(|line| line.starts_with("boards:")) { Kind::Bench } else { Kind::Scenario };
            // Paths in a block are relative to its file.
            all.push(Sample { name: format!("{}#{index}", path.display()), kind, text: block.to_owned() });
        }
    }
    all
}

fn yaml_in(folder: &str) -> Vec<PathBuf> {
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect::<Vec<_>>();
    files.sort();
    files
}
