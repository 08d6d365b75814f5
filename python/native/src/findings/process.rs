//! The watched process: its options, what was found in it, what it says of itself, and the report that all of it goes to.
//!
//! Lock discipline: nothing calls into Python or does I/O while it holds the lock of [`Facts`], so a thread that waits for it is never
//! waiting for a stopped world.  Files are written detached, under a lock of their own.

use crate::findings::occurrences;
use crate::findings::report_file::ReportFile;
use crate::findings::store::{FindingKey, Known, Recorded, Store, Unreported};
use crate::findings::tally::{self, Tally};
use crate::findings::upstream;
use crate::findings::{sources, stderr};
use crate::thread::faults::{self, Notes};
use crate::thread::{hooks_link, installed, perturb, probe_switch, registry, timeline};
use ftsan::loops::Totals;
use ftsan::options::Options;
use ftsan::recording::Recording;
use ftsan::report::model::mistake;
use ftsan::report::model::policy::Policy;
use ftsan::report::model::timeline::{Made, Time, Timeline};
use ftsan::report::model::tree::News;
use ftsan::report::render::text;
use ftsan::report::render::text::style::{self, Style};
use ftsan::report::suppress::Suppression;
use ftsan::report::{Accepted, Access, Finding, Frame, Means, Report, Watched};
use ftsan::rules::{Rule, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The process as a whole.
pub(crate) struct Process {
    pub(crate) options: Options,
    policy: Policy,
    hooks: AtomicU64,
    python: BTreeMap<String, String>,
    /// State of the GIL at start-up.
    gil: String,
    /// Name of the extension module that has switched it on.
    switched_on_by: OnceLock<String>,
    /// What the whole tree has found.
    tally: Option<&'static Tally>,
    /// How findings are printed.
    style: Style,
    /// Whether there was a stderr at the beginning: its number may be another file's afterwards.
    has_stderr: bool,
    /// Replaced in the child of a fork.
    shared: AtomicPtr<Shared>,
    /// What this session does not watch, beyond what does not work.
    unwatched: Notes,
    /// Until when findings are made in a process that somebody attached to; 0 while none are.  No lock: a fork may come at any moment.
    looks_until: AtomicU64,
    /// Whether it is one.
    is_attached: AtomicBool,
    /// Nobody asks any more.
    is_left: AtomicBool,
}

/// What the threads of the process share.
struct Shared {
    facts: Mutex<Facts>,
    /// Held, by detached threads only, while the report is written.
    file: Option<Mutex<ReportFile>>,
}

/// What was found, and what the process says of itself.
struct Facts {
    store: Store,
    packages: BTreeSet<String>,
    gil: String,
}

impl Shared {
    fn leak(suppressions: usize, gil: &str, file: Option<ReportFile>) -> &'static mut Self {
        let facts = Facts { store: Store::new(suppressions), packages: BTreeSet::new(), gil: gil.to_owned() };
        Box::leak(Box::new(Shared { facts: Mutex::new(facts), file: file.map(Mutex::new) }))
    }
}

/// Another one each time that somebody attaches; the ones before are never freed, as a thread may still be in the middle of something.
static PROCESS: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());

fn current() -> Option<&'static Process> {
    // SAFETY: null or a leaked box.
    unsafe { PROCESS.load(Ordering::Acquire).as_ref() }
}

/// The process.  Hooks are only installed once it is started.
#[inline]
pub(crate) fn get() -> &'static Process {
    current().expect("started before anything is hooked")
}

pub(crate) fn is_started() -> bool {
    current().is_some_and(|process| !process.is_left.load(Ordering::Acquire))
}

/// Whether this process was watched, and is not any more.
pub(crate) fn was_left() -> bool {
    current().is_some_and(|process| process.is_left.load(Ordering::Acquire))
}

/// One finding as it is printed, with colours or without, on a terminal of this width (0: on none); in the style of this process, if that
/// is watched.
pub(crate) fn shown(finding: &Finding, pid: u32, has_colours: bool, columns: usize) -> String {
    let style = current().map_or_else(Style::default, |process| process.style.clone());
    text::finding_alone(&Style { has_colours, columns, ..style }, finding, pid, &sources::line)
}

/// One finding as it is printed with these options.
pub(crate) fn shown_with(options: &Options, finding: &Finding, pid: u32) -> String {
    // SAFETY: plain call.
    let has_colours = style::wants_colours(unsafe { libc::isatty(libc::STDERR_FILENO) } == 1, |name| std::env::var_os(name));
    let style = Style { is_full: options.report_style, has_colours, own: options.own_packages(), columns: terminal_columns() };
    text::finding_in(&style, finding, pid, &sources::line)
}

/// How wide the terminal on stderr is now; 0 if there is none, or if it does not say.
fn terminal_columns() -> usize {
    // SAFETY: plain data, for which zeros are a value.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the request fills in a winsize.
    let answered = unsafe { libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    if answered == 0 { size.ws_col.into() } else { 0 }
}

/// Starts watching this process.
///
/// # Errors
/// A file of suppressions, severities or known findings is wrong, or it is watched already; one line.
pub(crate) fn start(options: Options, python: BTreeMap<String, String>, gil: String) -> Result<(), String> {
    if is_started() {
        return Err("already started".to_owned());
    }
    registry::start();
    let policy = Policy::load(options.config.as_deref(), options.suppressions.as_deref(), options.baseline.as_deref())?;
    let shared = Shared::leak(policy.suppressions().len(), &gil, options.report_json.as_deref().map(ReportFile::at));
    let tally = options.tally.as_deref().and_then(tally::open);
    installed::set_own(&options.own_packages());
    // Now: later another thread may be changing the environment.
    // SAFETY: plain call.
    let has_colours = style::wants_colours(unsafe { libc::isatty(libc::STDERR_FILENO) } == 1, |name| std::env::var_os(name));
    let before = current();
    forget_one_before(before);
    let packages = before.map_or_else(BTreeSet::new, |before| before.facts().packages.clone());
    shared.facts.get_mut().unwrap_or_else(PoisonError::into_inner).packages = packages;
    let process = Process {
        style: Style { is_full: options.report_style, has_colours, own: options.own_packages(), ..Style::default() },
        options,
        policy,
        hooks: AtomicU64::new(before.map_or(0, |before| before.hooks.load(Ordering::Relaxed))),
        python,
        gil,
        switched_on_by: OnceLock::new(),
        tally,
        // SAFETY: plain call.
        has_stderr: unsafe { libc::fcntl(libc::STDERR_FILENO, libc::F_GETFD) } >= 0,
        shared: AtomicPtr::new(shared),
        unwatched: Notes::default(),
        looks_until: AtomicU64::new(0),
        is_attached: AtomicBool::new(false),
        is_left: AtomicBool::new(false),
    };
    PROCESS.store(Box::into_raw(Box::new(process)), Ordering::Release);
    count_process();
    Ok(())
}

/// A thread may have been in the middle of a finding as the process was left, so what was found then is forgotten one attach later.
fn forget_one_before(before: Option<&'static Process>) {
    static ONE_BEFORE: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());
    let before = before.map_or(std::ptr::null(), std::ptr::from_ref).cast_mut();
    // SAFETY: null or a leaked box.
    if let Some(process) = unsafe { ONE_BEFORE.swap(before, Ordering::AcqRel).as_ref() } {
        process.facts().store = Store::new(process.policy.suppressions().len());
    }
}

fn count_process() {
    if let Some(tally) = get().tally {
        tally.processes.fetch_add(1, Ordering::Relaxed);
    }
}

impl Process {
    /// Whether the exit status of this process speaks for its tree: there is no launcher.
    pub(crate) fn speaks(&self) -> bool {
        self.options.text && self.tally.is_some_and(Tally::is_root)
    }

    /// Whether nobody reads the report any more: this process outlives the run, as multiprocessing's resource tracker does, or has only
    /// just begun.
    fn is_over(&self) -> bool {
        self.options.tally.as_ref().is_some_and(|path| self.tally.map_or_else(|| !path.exists(), Tally::is_closed))
    }

    /// Findings are made until then, as [`timeline::now`] says it.
    pub(crate) fn look_until(&self, end: Time) {
        self.looks_until.store(end, Ordering::Release);
    }

    /// Somebody attached, and no findings are made until [`Process::look_until`].
    pub(crate) fn stop_looking(&self) {
        self.looks_until.store(0, Ordering::Release);
        self.is_attached.store(true, Ordering::Release);
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.is_attached.load(Ordering::Acquire)
    }

    /// Whether findings are made.
    pub(crate) fn is_looking(&self) -> bool {
        !self.is_attached() || timeline::now() < self.looks_until.load(Ordering::Acquire)
    }

    /// This session does not watch something that was asked for.
    pub(crate) fn leave_out(&self, what: &str) {
        self.unwatched.add(what);
    }

    /// Nobody asks any more.  To be called detached.
    pub(crate) fn leave(&self) {
        self.stop_looking();
        self.is_left.store(true, Ordering::Release);
        if let Some(file) = &self.shared().file {
            file.lock().unwrap_or_else(PoisonError::into_inner).close();
        }
    }

    pub(crate) fn tally(&self) -> Option<&'static Tally> {
        self.tally
    }

    fn shared(&self) -> &'static Shared {
        // SAFETY: a leaked box.
        unsafe { &*self.shared.load(Ordering::Acquire) }
    }

    fn facts(&self) -> MutexGuard<'static, Facts> {
        self.shared().facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_hook(&self) {
        self.hooks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_package(&self, package: String) {
        self.facts().packages.insert(package);
    }

    /// The GIL is as reports have it, unless it is known who has switched it on.
    pub(crate) fn set_gil(&self, state: String) {
        if self.switched_on_by.get().is_none() {
            self.facts().gil = state;
        }
    }

    /// An extension module has found the GIL on, or switched it on; whether it is the one that has.
    pub(crate) fn note_switch(&self, module: &str) -> bool {
        let is_new = self.gil == "disabled" && self.switched_on_by.set(module.to_owned()).is_ok();
        if is_new {
            self.facts().gil = self.gil();
        }
        is_new
    }

    /// As a process has it that begins now.
    fn gil(&self) -> String {
        self.switched_on_by.get().map_or_else(|| self.gil.clone(), |module| format!("re-enabled by {module}"))
    }

    /// Whether threads take turns here, as far as is known by now.
    pub(crate) fn has_gil(&self) -> bool {
        self.facts().gil != "disabled"
    }

    /// The finding of one of these rules at this line, if it is a thread other than `but` that makes the call there.
    pub(crate) fn known_misuse(&self, line: &Frame, is_rule: impl Fn(&Rule) -> bool, but: Option<u64>) -> Option<Known> {
        self.facts().store.at_line(line, is_rule, but)
    }

    /// Counts another occurrence at a known place; `None` if the place is new.
    pub(super) fn seen_again(&self, place: &FindingKey, test: Option<&str>) -> Option<Recorded> {
        let mut facts = self.facts();
        let again = facts.store.seen_again(place, test)?;
        self.count_occurrence(&facts.store, &again);
        Some(again)
    }

    /// Records a new finding, which a line of the program may accept, or another occurrence if another thread was faster.
    pub(super) fn record(
        &self,
        place: FindingKey,
        mut finding: Finding,
        ignored: Option<Suppression>,
        test: Option<String>,
    ) -> Recorded {
        let pid = std::process::id();
        finding.made = Some(Made { at: timeline::now(), pid });
        finding.pids.insert(pid);
        finding.tests.extend(test);
        if !self.options.upstream {
            upstream::tell_apart(&mut finding);
        }
        let accepted_by = self.policy.judge(&mut finding);
        let ignored = ignored.filter(|_| finding.accepted.is_none());
        if let Some(line) = &ignored {
            finding.accepted = Some(Accepted { by: Means::Suppression, reason: line.reason.clone() });
        }
        let mut facts = self.facts();
        let recorded = facts.store.record(place, finding, accepted_by, ignored, self.policy.suppressions().len());
        self.count_occurrence(&facts.store, &recorded);
        recorded
    }

    fn count_occurrence(&self, store: &Store, recorded: &Recorded) {
        if recorded.is_suppressed {
            return;
        }
        let Some(tally) = self.tally else { return };
        let finding = store.finding(recorded.known);
        tally.count(finding);
        if recorded.is_new && finding.severity > Severity::Info {
            tally.serious.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How bad a finding is, and it in one line.
    pub(super) fn headline(&self, known: Known) -> (Severity, String) {
        let facts = self.facts();
        let finding = facts.store.finding(known);
        (finding.severity, format!("{}: {}", finding.rule, finding.title))
    }

    /// Another finding tells more than the one at this place.
    pub(crate) fn withdraw(&self, place: &FindingKey) {
        self.facts().store.withdraw(place);
    }

    /// What another rule has found at this place gives way to what this rule finds there next.
    pub(crate) fn give_way(&self, place: &FindingKey, rule: &Rule) {
        self.facts().store.give_way(place, rule.id);
    }

    /// Adds what was seen at another occurrence.
    pub(crate) fn add(&self, known: Known, owners: Vec<Access>, witnessed: bool) {
        let store = &mut self.facts().store;
        owners.into_iter().for_each(|access| store.add_owner_access(known, access));
        if witnessed {
            store.witness(known);
        }
    }

    /// Adds what else the call of the program leads to.
    pub(super) fn add_inner(&self, known: Known, access: Option<Access>) {
        if let Some(access) = access {
            self.facts().store.add_inner_access(known, access);
        }
    }

    /// Puts a new finding into the report, and prints it; in short, if it takes the place of one of another rule, which was printed, or is a
    /// further location of a mistake that was.  To be called detached: it writes to files.
    pub(super) fn tell(&self, known: Known, in_place_of: Option<&str>) {
        let (finding, is_again) = self.facts().store.begin_telling(known);
        // First the report: the program may be killed while it waits for somebody to read its stderr.
        self.write_news(None);
        // A finding that changes no exit status does not interrupt anybody: it is in the report.
        if self.options.text && finding.severity > Severity::Info {
            let _paused = hooks_link::Paused::begin();
            let style = Style { columns: terminal_columns(), ..self.style.clone() };
            let told = match in_place_of {
                Some(rule) => text::in_place_of(&finding, rule),
                None if is_again => text::location_in(&style, &finding),
                None => text::finding_in(&style, &finding, std::process::id(), &sources::line),
            };
            write_stderr(&told);
        }
    }

    /// Puts into the report what is new, and how often `known` happened.  To be called detached.
    pub(super) fn write_news(&self, known: Option<Known>) {
        self.write(|store| store.take_unreported(known, false, self.policy.suppressions()));
    }

    /// Puts everything into the report that it does not have yet.  To be called detached.
    pub(crate) fn bring_report_up_to_date(&self) {
        self.write(|store| store.take_unreported(None, true, self.policy.suppressions()));
    }

    /// For the last time, and the report's file as well, unless a launcher waits to do that.  To be called detached.
    pub(crate) fn complete_report(&self) {
        self.bring_report_up_to_date();
        let launcher = self.options.supervisor;
        if launcher != 0 && Path::new(&format!("/proc/{launcher}")).exists() {
            return;
        }
        if let Some(file) = &self.shared().file {
            let trouble = file.lock().unwrap_or_else(PoisonError::into_inner).fold();
            self.say(trouble);
        }
    }

    fn write(&self, take: impl FnOnce(&mut Store) -> Unreported) {
        let Some(file) = &self.shared().file else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_left.load(Ordering::Acquire) {
            return;
        }
        let (unreported, packages, gil) = {
            let mut facts = self.facts();
            (take(&mut facts.store), facts.packages.clone(), facts.gil.clone())
        };
        // Of a process in which nothing was found, nobody wants to know.
        file.has_found |= !(unreported.findings.is_empty() && unreported.accepted.is_empty());
        let timeline = if file.has_found { timeline::take_news() } else { Timeline::default() };
        let now = self.watched(packages);
        let before = std::mem::replace(&mut file.watched, now.clone());
        let watched = Watched {
            checks: now.checks.saturating_sub(before.checks),
            threads: now.threads.saturating_sub(before.threads),
            loops: now.loops.saturating_sub(before.loops),
            processes: now.processes - before.processes,
            slices: now.slices.saturating_sub(before.slices),
            sliced_ms: now.sliced_ms.saturating_sub(before.sliced_ms),
            accesses: now.accesses.saturating_sub(before.accesses),
            perturbed: now.perturbed.map(|perturbed| perturbed.since(before.perturbed)),
            ..now.clone()
        };
        let python = if std::mem::replace(&mut file.is_introduced, true) { BTreeMap::new() } else { self.python.clone() };
        let Unreported { findings, accepted, withdrawn, suppressions } = unreported;
        let baseline = self.policy.baseline().map(str::to_owned);
        let report = Report { python, gil, watched, findings, accepted, baseline, timeline, suppressions, ..Report::default() };
        let trouble = file.write(News { report, withdrawn });
        if let Some(tally) = self.tally {
            let lost = file.count_lost();
            tally.lost.fetch_add(lost.as_of_now.wrapping_sub(lost.before), Ordering::Relaxed);
            tally.off.fetch_max(now.off.len() as u64, Ordering::Relaxed);
        }
        drop(file);
        self.say(trouble);
    }

    /// Says that the report cannot be written, if anybody would read it.
    fn say(&self, trouble: Option<String>) {
        if let Some(line) = trouble.filter(|_| !self.is_over()) {
            write_stderr(&line);
        }
    }

    /// What was looked at so far.
    fn watched(&self, packages: BTreeSet<String>) -> Watched {
        let Totals { threads, loops, checks, accesses } = registry::get().loops.totals();
        let checks = checks + hooks_link::recording().map_or(0, Recording::events);
        let hooks = self.hooks.load(Ordering::Relaxed);
        probe_switch::check_folded();
        let [slices, sliced_ms] = [&probe_switch::SLICES, &probe_switch::SLICED_MS].map(|counter| counter.load(Ordering::Relaxed));
        Watched {
            hooks,
            checks,
            threads,
            loops,
            processes: 1,
            slices,
            sliced_ms,
            accesses,
            packages,
            off: &faults::all() | &self.unwatched.all(),
            perturbed: perturb::so_far(),
        }
    }

    /// What happened in whose name since the last time, but for what was taken back: each mistake once in each name.
    pub(crate) fn take_occurrences(&self) -> Vec<(String, Finding)> {
        let happened = occurrences::take();
        if happened.is_empty() {
            return Vec::new(); // after each phase of each test
        }
        let facts = self.facts();
        let finding = |known| facts.store.told(known).cloned();
        let mut by_name: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for (known, name) in happened {
            by_name.entry(name).or_default().extend(finding(known));
        }
        let folded = by_name.into_iter().map(|(name, all)| (name, mistake::fold(all)));
        folded.flat_map(|(name, all)| all.into_iter().map(move |finding| (name.clone(), finding))).collect()
    }

    /// Everything that this process has seen, for the pytest plugin.
    pub(crate) fn everything(&self) -> Report {
        let facts = self.facts();
        let Unreported { findings, accepted, suppressions, .. } = facts.store.all(self.policy.suppressions());
        let watched = self.watched(facts.packages.clone());
        Report {
            python: self.python.clone(),
            gil: facts.gil.clone(),
            watched,
            findings: mistake::fold(findings),
            accepted: mistake::fold(accepted),
            suppressions,
            ..Report::default()
        }
    }
}

/// Writes to the program's stderr, if there was one at the beginning.
pub(crate) fn write_stderr(text: &str) {
    if get().has_stderr {
        stderr::write(text);
    }
}

/// In the child of a fork, which has found nothing yet and has only this thread left.
///
/// CPython stops the world before it forks, and no thread stops in the middle of what it does attached under a lock of ours.  A
/// detached thread may be writing the report at that moment: hence the child gets a new [`Shared`] and the old one is leaked.
pub(crate) fn after_fork() {
    let process = get();
    // If a thread that is not here any more was writing, its lock is never given back.
    let inherited = process.shared().file.as_ref().and_then(|file| Some(file.try_lock().ok()?.after_fork()));
    let file = inherited.or_else(|| process.options.report_json.as_deref().map(ReportFile::at));
    let shared = Shared::leak(process.policy.suppressions().len(), &process.gil(), file);
    process.shared.store(shared, Ordering::Release);
    // Of the parent's store.
    occurrences::take();
    count_process();
}
