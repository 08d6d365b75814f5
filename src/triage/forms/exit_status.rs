//! The words of shells, supervisors and parents for a process that is gone: its signal or its status, and nothing else.

use super::super::crash::Crash;
use super::form::{Form, Found};
use super::frames::pattern;

/// The form.
pub(super) const FORM: Form = Form {
    name: "a shell's or a parent's line",
    looks_like: "\"Segmentation fault (core dumped)\", \"Process finished with exit code 139\", \"-1073741819 (0xC0000005)\", \"objc[1]: ... when fork() was called\"",
    signs: &[
        "core dumped",
        "egmentation fault",
        "us error",
        "encountered in worker",
        "bort",
        "llegal",
        "Killed",
        "xit code",
        "xit Code",
        "xitCode",
        "terminated abruptly",
        "status=",
        "xited with ",
        "xited (13",
        "] Error 13",
        "xited, code",
        "exitcode",
        "returncode",
        "exit status",
        "SIG",
        "by signal ",
        "with signal ",
        "called for pid",
        "code 139",
        "with code -",
        ": exit -",
        "(Exit 13",
        "code '13",
        "***Exception: S",
        "exited on signal",
        "Error R1",
        "illed due to memory",
        "killed  ",
        "exited unexpectedly",
        "appears to have died",
        "trace trap",
        "/breakpoint trap",
        " SIGSEGV ",
        "0xC0",
        "0xc0",
        "107374",
        "322122",
        "when fork() was called",
        "Assertion",
    ],
    read,
};

/// A line without any of these names neither a signal nor its number.
const VALUES: [&str; 38] = [
    "egmentation fault",
    "us error",
    "bort",
    "llegal",
    "illed",
    "SIG",
    "signal 11",
    "signal 6",
    "139",
    "-11",
    "134",
    "137",
    "135",
    "132",
    "136",
    "-6",
    "-9",
    "-7",
    "-4",
    "107374",
    "322122",
    "loating point",
    "loating-point",
    "fork() was called",
    "Assertion",
    "side of fork",
    "OOMKilled",
    "status=",
    "terminated abruptly",
    "SegFault",
    "Memory quota",
    "exited unexpectedly",
    "appears to have died",
    "trace trap",
    "breakpoint trap",
    "xC0000005",
    "signal 4",
    "signal 7",
];

/// The signals, and the words for them; the first that is found counts.
const SAID: [(&str, &str); 7] = [
    ("SIGTRAP", r"trace trap|/breakpoint trap|SIGTRAP"),
    (
        "SIGSEGV",
        r"egmentation fault|SegFault|SEGV|3221225725|-1073741819|3221225477|0[xX][cC]0000005|139|-11\b|signal:? 11|Signal 11",
    ),
    ("SIGBUS", r"us error|SIGBUS|status=7/|135|-7\b|signal:? 7\b"),
    (
        "SIGILL",
        r"llegal (?:hardware )?instruction|SIGILL|status=4/|-1073741795|3221225501|0[xX][cC]000001[dD]|132|-4\b|signal:? 4\b",
    ),
    ("SIGKILL", r"Killed|killed|KILL|Memory quota|137|-9\b|signal:? 9\b"),
    ("SIGFPE", r"loating[ -]point exception|SIGFPE|136|-8\b"),
    ("SIGABRT", r"bort|ABRT|-1073740940|3221226356|0[xX][cC]0000374|-1073740791|0[xX][cC]0000409|134|-6\b|signal:? 6\b"),
];

// A status or a name of a signal counts only in the sentences in which a shell, an IDE or a parent says it.
pattern!(
    SENTENCE,
    r"(?:^(?:Segmentation fault|Bus error|Aborted|Illegal instruction|Floating point exception|Killed)(?:: \d+)?(?: \(core dumped\))?$|(?:Segmentation fault|Bus error|Aborted|Abort trap|Illegal instruction|Floating point exception)(?:: \d+)?\s+\(core dumped\)|line \d+:\s+\d+ (?:Segmentation fault|Bus error|Aborted|Abort trap|Illegal instruction|Killed|Floating point exception)|\b(?:zsh|fish|bash): (?:segmentation fault|bus error|abort|illegal hardware instruction|killed|floating point exception)|^\[\d+\]\s*[+-]?\s*\d+ (?:segmentation fault|bus error|abort|illegal hardware instruction|killed)|\b[Ee]xit(?:ed)?(?: with)? ?[cC]ode\x22?:? *-?(?:13[2-79]|11|6|9|7|4|1073741819|1073740940|1073740791|1073741795)\b|\b(?:exitcode|returncode)[:= ]+-(?:11|6|9|7|4)\b|non-zero exit status (?:-(?:11|6|9|7|4)|13[2-79])\b|-107374(?:1819|0940|0791|1795)\b|\b3221225477\b|died with <Signals\.SIG[A-Z]+: \d+>|\(signal: \d+, SIG[A-Z]+|(?:terminated|killed|interrupted|died|crashed) (?:by|with|due to|from) (?:signal|SIG)[: ]*(?:SIG[A-Z]+|\d+|Segmentation fault|Bus error|Aborted|Killed|Illegal instruction|Floating point exception)?|was sent code 139\b|(?:exited with|exited prematurely:|failed|\(|exited on|exit) [(']?signal:? (?:\d+ \(SIG[A-Z]+|(?:Segmentation fault|Bus error|Abort(?:ed)?|Illegal instruction|Floating point exception) \(\d+|\d+ \(core dumped)|code=(?:dumped|killed), status=(?:4|6|7|8|9|11)/[A-Z]+|\] Error 13[2-79]\b|\bExited \(13[2-79]\)|exited with (?:status )?13[2-79]\b|exited with error: signal: [a-z ]+|exited on signal \d+ \([A-Z][a-z ]+\)|return code Negsignal\.SIG[A-Z]+|\{(?:SIG[A-Z]+\(-\d+\)(?:, )?)+\}|was sent SIG(?:SEGV|ABRT|BUS|ILL|FPE|KILL)!|OOMKilled|\bcalled for pid \d+, signal \d+, core limit|process pool was terminated abruptly|Unexpected (?:segmentation fault|bus error|floating-point exception) encountered in worker)"
);
// Those of fewer programs: each expression is slow, and most lines of a log have none of the signs.
pattern!(
    RARER,
    r"(?:\bfailed with code -(?:11|6|9|7|4)\b|: exit -(?:11|6|9|7|4)\b|\(Exit 13[2-79]\)|exited with code '13[2-79]'|\*\*\*Exception: SegFault|exited on signal \d+$|Error R1[45] \(Memory quota|Container killed due to memory usage|^\[\d+\]\s*[+-]?\s*\d+ killed\b|\bzsh: trace trap\b|^(?:Abort trap: 6|Trace/breakpoint trap(?: \(core dumped\))?|Trace/BPT trap: 5)$|\bSIGSEGV +(?:present|missing|truncated|none|inaccessible) +/\S+|\(pid\(s\) \d[\d, ]*\) exited unexpectedly|Python worker exited unexpectedly \(crashed\)|kernel appears to have died|exit code:? 3221225725\b|exit code:? 0x[cC]0000005\b)"
);
const SIGNS_OF_RARER: [&str; 18] = [
    "with code -",
    ": exit -",
    "(Exit 13",
    "with code '13",
    "***Exception: S",
    "exited on signal",
    "Error R1",
    "due to memory",
    "killed  ",
    "trace trap",
    "Trace/",
    "Abort trap: 6",
    " SIGSEGV ",
    "exited unexpectedly",
    "appears to have died",
    "3221225725",
    "0xc0000005",
    "0xC0000005",
];
pattern!(FORK, r"may have been in progress in another thread when fork\(\) was called|crashed on child side of fork");
pattern!(
    ASSERTION,
    r"(?:^|\s)(?:Assertion failed: \(.+\), function \S+, file \S+, line \d+|\S+: \S+\.(?:c|h|cc|cpp|cxx|hpp):\d+ ?: ?.+: Assertion `.+['`] failed)"
);

/// The signal that a sentence names.
fn signal(sentence: &str) -> &'static str {
    static SIGNALS: std::sync::LazyLock<Vec<(&str, regex_lite::Regex)>> = std::sync::LazyLock::new(|| {
        SAID.iter().map(|(signal, text)| (*signal, regex_lite::Regex::new(text).expect("a pattern of ours compiles"))).collect()
    });
    // "killed by signal 6" is not SIGKILL.
    let sentence = sentence.replace("killed by ", "by ").replace("killed with ", "with ").replace("code=killed", "");
    SIGNALS.iter().find(|(_, said)| said.is_match(&sentence)).map_or("", |(signal, _)| signal)
}

fn read(pasted: &[String]) -> Vec<Found> {
    // The expressions are slow, and logs are long.
    let may_tell =
        |line: &str| FORM.signs.iter().any(|sign| line.contains(sign)) && VALUES.iter().any(|value| line.contains(value));
    let lines = || pasted.iter().enumerate().filter(|(_, line)| line.len() < 2000 && may_tell(line));
    let found = |at: usize, signal: &str, message: &str| Found {
        at,
        crash: Crash { signal: signal.to_owned(), message: message.trim().chars().take(300).collect(), ..Crash::default() },
    };
    // An assertion and a fork say why; a status says only that.
    let why = lines().find_map(|(at, line)| {
        if ASSERTION.is_match(line) {
            return Some(found(at, "SIGABRT", line));
        }
        FORK.is_match(line).then(|| found(at, "SIGABRT", line))
    });
    let that = || {
        lines().find_map(|(at, line)| {
            // docker says so of each container.
            let without = line.replace("OOMKilled\": false", "").replace("OOMKilled\":false", "");
            let is_rarer = || SIGNS_OF_RARER.iter().any(|sign| line.contains(sign));
            let said = SENTENCE.find(&without).or_else(|| if is_rarer() { RARER.find(&without) } else { None })?;
            // gunicorn says first why it kills a worker.
            let before = |words: &str| pasted.iter().take(at).rev().find(|before| before.contains(words));
            let timeout = if line.contains("was sent SIGKILL") {
                before("WORKER TIMEOUT (pid:")
            } else if line.contains("status=6/ABRT") {
                before("Watchdog timeout (limit")
            } else {
                None
            };
            Some(found(at, signal(said.as_str()), timeout.unwrap_or(line)))
        })
    };
    why.or_else(that).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_process_that_is_gone() {
        for (line, signal) in [
            ("Segmentation fault (core dumped)", "SIGSEGV"),
            ("/tmp/2c1e.sh: line 3:  2823 Segmentation fault      (core dumped) pytest --pyargs pywt", "SIGSEGV"),
            ("  0%|   | 0/15 [00:00<?, ?it/s]ERROR: Unexpected segmentation fault encountered in worker.", "SIGSEGV"),
            (
                "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).",
                "SIGBUS",
            ),
            ("python: src/unix/core.c:303 :uv__finish_close: Assertion `!(handle->flags & UV_HANDLE_CLOSED)` failed.", "SIGABRT"),
            ("[1]    26016 segmentation fault (core dumped)  python -c 'import yaml'", "SIGSEGV"),
            ("zsh: abort      python3.11", "SIGABRT"),
            ("zsh: illegal hardware instruction  python", "SIGILL"),
            ("Process finished with exit code 139 (interrupted by signal 11: SIGSEGV)", "SIGSEGV"),
            ("Process finished with exit code -1073741819 (0xC0000005)", "SIGSEGV"),
            ("进程已结束,退出代码-1073741819 (0xC0000005)", "SIGSEGV"),
            ("Process finished with exit code -1073740940 (0xC0000374)", "SIGABRT"),
            ("subprocess.CalledProcessError: Command '['python']' died with <Signals.SIGSEGV: 11>.", "SIGSEGV"),
            ("Command '...' returned non-zero exit status 134.", "SIGABRT"),
            ("process didn't exit successfully: ... (signal: 6, SIGABRT)", "SIGABRT"),
            ("DAMN ! worker 4 (pid: 15383) died, killed by signal 11 :( trying respawn ...", "SIGSEGV"),
            ("The command was terminated by signal SIGBUS", "SIGBUS"),
            ("Exited with code 137", "SIGKILL"),
            ("container exited, exit code: 139", "SIGSEGV"),
            ("      Exit Code:    139", "SIGSEGV"),
            ("      Reason:       OOMKilled", "SIGKILL"),
            ("\"OOMKilled\": true, \"ExitCode\": 137", "SIGKILL"),
            ("\"OOMKilled\": false, \"ExitCode\": 139", "SIGSEGV"),
            ("RuntimeError: DataLoader worker (pid 77) is killed by signal: Segmentation fault.", "SIGSEGV"),
            ("RuntimeError: DataLoader worker (pid 77) is killed by signal: Killed.", "SIGKILL"),
            ("ERROR/MainProcess] Process 'ForkPoolWorker-2' pid:4 exited with 'signal 11 (SIGSEGV)'", "SIGSEGV"),
            ("WorkerLostError: Worker exited prematurely: signal 6 (SIGABRT) Job: 0.", "SIGABRT"),
            ("Call to `build_wheel` failed (signal: 11 (SIGSEGV)", "SIGSEGV"),
            ("The exit codes of the workers are {SIGABRT(-6)}", "SIGABRT"),
            ("worker 4 died, killed by signal 6", "SIGABRT"),
            ("worker 4 was killed by signal 9", "SIGKILL"),
            ("worker 4 was killed by signal 15", ""),
            (
                "BrokenProcessPool: A process in the process pool was terminated abruptly while the future was running or pending.",
                "",
            ),
            ("web.service: Main process exited, code=killed, status=6/ABRT", "SIGABRT"),
            ("The exit codes of the workers are {SIGSEGV(-11), SIGSEGV(-11)}", "SIGSEGV"),
            ("[ERROR] Worker (pid:12) was sent SIGBUS!", "SIGBUS"),
            ("web.service: Main process exited, code=dumped, status=6/ABRT", "SIGABRT"),
            ("web.service: Main process exited, code=killed, status=9/KILL", "SIGKILL"),
            ("[core:notice] AH00052: child pid 56 exit signal Segmentation fault (11)", "SIGSEGV"),
            ("Aborted (core dumped)", "SIGABRT"),
            ("make: *** [Makefile:12: test] Error 139", "SIGSEGV"),
            ("0d1f0c9f2a1b   app:3.14t  \"python app.py\"   2 minutes ago   Exited (139) 5 seconds ago   app", "SIGSEGV"),
            ("The command \"python -m pytest\" exited with 139.", "SIGSEGV"),
            ("heroku[web.1]: Process exited with status 134", "SIGABRT"),
            ("RequestId: 1b24 Error: Runtime exited with error: signal: segmentation fault (core dumped)", "SIGSEGV"),
            ("Runtime exited with error: signal: killed", "SIGKILL"),
            ("py314t: exit -11 (12.34 seconds) /src> pytest -q pid=2211", "SIGSEGV"),
            ("cibuildwheel: error: Command ['sh', '-c', 'pytest'] failed with code -11.", "SIGSEGV"),
            ("##[error]Bash exited with code '139'.", "SIGSEGV"),
            ("12/40 Test #12: python_ring ......................***Exception: SegFault  0.61 sec", "SIGSEGV"),
            ("FAIL: //ring:test_free_threading (Exit 139) (see /root/x/test.log)", "SIGSEGV"),
            ("heroku[web.1]: Error R15 (Memory quota vastly exceeded)", "SIGKILL"),
            ("OutOfMemoryError: Container killed due to memory usage", "SIGKILL"),
            ("2026/02/03 10:00:00 [alert] 12#12 app process 15 exited on signal 11", "SIGSEGV"),
            ("RuntimeError: DataLoader worker (pid(s) 123) exited unexpectedly", ""),
            ("SparkException: Python worker exited unexpectedly (crashed)", ""),
            ("The kernel appears to have died. It will restart automatically.", ""),
            ("zsh: trace trap  python3.14t app.py", "SIGTRAP"),
            ("[1]  + 12345 killed     python3.14t app.py", "SIGKILL"),
            ("Thu 2025-06-05 21:41:56 EDT 2714266 1000 1000 SIGSEGV present  /usr/bin/python3.14t   3.4M", "SIGSEGV"),
            ("Process 'ring-worker' terminated with exit code 3221225725", "SIGSEGV"),
            ("*** Process crashed: python3.14t.exe, exit code 0xC0000005 ***", "SIGSEGV"),
            ("Abort trap: 6", "SIGABRT"),
            ("Trace/breakpoint trap (core dumped)", "SIGTRAP"),
            ("ERROR: apport (pid 88) Tue Feb  3 2026: called for pid 87, signal 11, core limit 0, dump mode 1", "SIGSEGV"),
            ("mpirun noticed that process rank 0 with PID 6 on node a exited on signal 11 (Segmentation fault).", "SIGSEGV"),
            ("{local_task_job_runner.py:225} INFO - Task exited with return code Negsignal.SIGKILL", "SIGKILL"),
        ] {
            let crashes = read(&[line.to_owned()]);
            assert_eq!(crashes.first().map(|found| found.crash.signal.as_str()), Some(signal), "{line}");
        }
        for line in [
            "\"OOMKilled\": false,",
            "INFO all is well",
            "Process finished with exit code 1",
            "exited with code 0",
            "make: *** [Makefile:12: test] Error 2",
            "The command \"python -m pytest\" exited with 1.",
            "Exited (0) 2 minutes ago",
            "Task exited with return code 1",
            "we had a Segmentation fault in spring",
            "139 passed in 11 s",
            "exit status 2",
            "received signal 15, terminating",
            "web.service: Main process exited, code=exited, status=1/FAILURE",
            "web.service: Main process exited, code=killed, status=15/TERM",
            "the job was sent SIGTERM!",
            "py314t: exit 1 (12.34 seconds) /src> pytest -q pid=2211",
            "the process may be killed at 9",
            "we were killed by 11 questions",
        ] {
            assert!(read(&[line.to_owned()]).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_line_needs_a_sentence_and_a_value() {
        let line = |length: usize| vec![format!("{}Aborted (core dumped)", " ".repeat(length - 21))];
        assert_eq!((read(&line(1999)).len(), read(&line(2000)).len()), (1, 0), "and is not endless");
        let value_alone = "non-zero exit status unknown, (signal: 15, SIGTERM";
        assert_eq!(read(&[value_alone.to_owned()])[0].crash.signal, "");
    }

    #[test]
    fn why_comes_before_that() {
        let lines =
            ["[1] [CRITICAL] WORKER TIMEOUT (pid:27)", "[1] [ERROR] Worker (pid:27) was sent SIGKILL! Perhaps out of memory?"];
        let killed = read(&lines.map(str::to_owned)).remove(0).crash;
        assert_eq!((killed.signal.as_str(), killed.message.as_str()), ("SIGKILL", lines[0]));
        let lines = ["Aborted (core dumped)", "python: Python/ceval.c:135: is_tstate_valid: Assertion `!freed' failed."];
        let crash = read(&lines.map(str::to_owned)).remove(0).crash;
        assert!(crash.message.contains("is_tstate_valid"));
        let fork = "objc[14347]: +[NSDate initialize] may have been in progress in another thread when fork() was called.";
        assert!(read(&[fork.to_owned()]).remove(0).crash.message.contains("fork()"));
    }
}
