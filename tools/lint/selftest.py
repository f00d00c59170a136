#!/usr/bin/env python3
"""Proves that the lints catch what they are for: each is run on a small tree with one fault."""
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "test")]
import check_banned  # noqa: E402
import check_docs  # noqa: E402
import check_layers  # noqa: E402
import check_libaoe  # noqa: E402
import check_text  # noqa: E402
import results  # noqa: E402


class Tree(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.directory.name).resolve()

    def tearDown(self):
        self.directory.cleanup()

    def write(self, name, text, mode=0o644):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path


class Layers(Tree):
    def problems(self, name, text):
        self.write(name, text)
        return check_layers.check(self.root)[0]

    def test_allowed_includes_pass(self):
        self.assertEqual([], self.problems(
            "target/a.h", '#include <span>\n#include "base/ids.h"\n#include "target/b.h"\n'))
        self.assertEqual([], self.problems("os/a.cpp", "#include <sys/socket.h>\n"))

    def test_forbidden_module_is_caught(self):
        found = self.problems("storage/a.cpp", '\n#include "protocol/aoe_header.h"\n')
        self.assertEqual(["storage/a.cpp:2: storage may not include protocol"], found)

    def test_cores_may_not_see_each_other(self):
        self.assertEqual(1, len(self.problems("target/a.h", '#include "initiator/b.h"\n')))

    def test_forbidden_system_header_is_caught(self):
        for header in ("sys/socket.h", "chrono", "thread", "fstream", "random", "iostream",
                       "fmt/core.h", "unistd.h", "mutex"):
            found = self.problems("protocol/a.h", f"#include <{header}>\n")
            self.assertEqual([f"protocol/a.h:1: pure module protocol may not include <{header}>"],
                             found)

    def test_plugin_sees_the_public_header_alone(self):
        name = "frontends/nbdkit/a.cpp"
        self.assertEqual([], self.problems(
            name, '#include "aoe/aoe.h"\n#include "frontends/nbdkit/b.h"\n#include <nbdkit.h>\n'))
        for header in ("client/session.h", "base/ids.h", "libaoe/handle.h"):
            self.assertEqual([f"{name}:1: frontends/nbdkit may not include {header.split('/')[0]}"],
                             self.problems(name, f'#include "{header}"\n'))

    def test_public_header_is_for_its_users_and_its_maker(self):
        self.assertEqual([], self.problems("libaoe/a.cpp", '#include "aoe/aoe.h"\n'))
        self.assertEqual(1, len(self.problems("client/a.cpp", '#include "aoe/aoe.h"\n')))

    def test_unknown_module_is_caught(self):
        self.assertEqual(1, len(self.problems("misc/a.h", "")))

    def test_include_without_folder_is_caught(self):
        self.assertEqual(1, len(self.problems("base/a.h", '#include "ids.h"\n')))


class PluginDocs(unittest.TestCase):
    HELP = "nbdkit --dump-plugin KEY=VALUE\n\nplugin: x\n(/a/b)\n[uri=]<URI> The device\nsize=<N> Size\n"

    def test_agreement_passes(self):
        self.assertEqual([], check_docs.plugin_problems("p", self.HELP, "[*uri=*]_URI_ *size=*_N_"))

    def test_disagreement_is_caught_both_ways(self):
        self.assertEqual(["p: size= of --help is not in the man page",
                          "p: the man page has other=, --help has not"],
                         check_docs.plugin_problems("p", self.HELP, "*uri=*_URI_ *other=*_N_"))
        self.assertIn("p: no parameter found in --help",
                      check_docs.plugin_problems("p", "plugin\n", ""))


class Libaoe(unittest.TestCase):
    HEADER = "AOE_PUBLIC int aoe_a(int b,\n                     int c);\nAOE_PUBLIC int aoe_b(void);\n"
    MAP = "V_0.1 {\n  global:\n    aoe_a;  # why\n    aoe_b;\n  local:\n    *;\n};\n"
    EXPORTED = {"aoe_a": "V_0.1", "aoe_b": "V_0.1"}
    PAGE = (".SH NAME\naoe_a, aoe_b\n.SH SYNOPSIS\nint aoe\\_a(int b,\n int c);\nint aoe_b(void);\n"
            ".SH DESCRIPTION\nDoes a lot for everybody.\n.SH RETURN VALUE\nReturns 0 or -1.\n")
    PAGES = {"aoe_a": PAGE, "aoe_b": ".so man3/aoe_a.3\n"}
    WRAPPER = "check(aoe_a(1, 2));\ncheck(aoe_b());\n"

    def problems(self, **changed):
        given = {"header": self.HEADER, "version_script": self.MAP, "exported": self.EXPORTED,
                 "pages": self.PAGES, "wrapper": self.WRAPPER, **changed}
        return check_libaoe.check(**given)[0]

    def test_agreement_passes(self):
        self.assertEqual([], self.problems())

    def test_each_disagreement_is_caught(self):
        for changed, problem in (
                ({"header": ""}, "aoe.h: no call found"),
                ({"header": self.HEADER + "AOE_PUBLIC int aoe_c(void);\n"},
                 "aoe_c: declared, but not in libaoe.map"),
                ({"header": self.HEADER.splitlines(True)[2]}, "aoe_a: in libaoe.map, but not declared"),
                ({"exported": {"aoe_a": "V_0.1"}}, "aoe_b: exported as None, libaoe.map says V_0.1"),
                ({"exported": {**self.EXPORTED, "aoe_x": "V_0.1"}},
                 "aoe_x: exported as V_0.1, libaoe.map says None"),
                ({"exported": {"aoe_a": "V_2", "aoe_b": "V_0.1"}},
                 "aoe_a: exported as V_2, libaoe.map says V_0.1"),
                ({"pages": {"aoe_a": self.PAGE}}, "aoe_b: no manual page"),
                ({"pages": {**self.PAGES, "aoe_x": self.PAGE}},
                 "aoe_x: has a manual page, but is no call"),
                ({"pages": {**self.PAGES, "aoe_a": self.PAGE.replace("int aoe_b(void)", "")}},
                 "aoe_b: its page does not show its prototype"),
                ({"pages": {**self.PAGES, "aoe_a": self.PAGE.replace(", aoe_b", "")}},
                 "aoe_b: its page does not name it"),
                ({"pages": {**self.PAGES, "aoe_a": self.PAGE.replace("RETURN VALUE", "NOTES")}},
                 "aoe_a: its page has no RETURN VALUE"),
                ({"pages": {**self.PAGES, "aoe_a": self.PAGE.replace("Does a lot for everybody.", "")}},
                 "aoe_a: its page says nothing"),
                ({"wrapper": "aoe_a(1)"}, "aoe_b: aoe.hpp does not use it")):
            self.assertIn(problem, self.problems(**changed))


class Banned(Tree):
    def names(self, text, name="src/target/a.cpp"):
        self.write(name, text)
        return [problem.split(": ")[1] for problem in check_banned.check(self.root)[0]]

    def test_each_rule_catches_its_word(self):
        for line, rule in (
                ("auto t = std::chrono::steady_clock::now();", "clock"),
                ("int n = rand();", "rand"),
                ("puts(strerror(errno));", "strerror"),
                ("std::this_thread::sleep_for(x);", "sleep"),
                ("volatile int x;", "volatile"),
                ("auto* p = reinterpret_cast<char*>(q);", "reinterpret_cast"),
                ("std::memcpy(a, b, 3);", "memcpy"),
                ("auto* p = new Thing();", "new/delete"),
                ("  delete p;", "new/delete"),
                ("std::cout << 1;", "std::cout"),
                ("using namespace std;", "using namespace"),
                ("// FIX" "ME later", "FIX" "ME"),
                ("// TO" "DO: later", "TO" "DO without kind"),
                ("int x;  // NO" "LINT", "NO" "LINT without reason"),
                ("auto s = std::format(\"\");", "C++23 or clang 14 gap")):
            self.assertEqual([rule], self.names(line + "\n"), line)

    def test_comments_strings_and_declarations_pass(self):
        self.assertEqual([], self.names(
            '// a new rule: never volatile\nauto s = "rand() and new Thing";\n'
            "return std::unique_ptr<A>(new A(b));\nauto* p = ::operator new (size);\n"
            "A(const A&) = delete;\n#include <new>\nchar c = '\"'; int n = 1'000;\n"
            "/* using namespace std;\n memcpy(a) */\n// TO" "DO(perf): batches\n"
            "using namespace aoe;  // NO" "LINT(google-build-using-namespace): a program's main\n"
            "int operand(int brand);  // NO" "LINT(bugprone-x): the kernel wants it\n"))

    def test_the_place_where_a_word_is_at_home_passes(self):
        self.assertEqual([], self.names("std::memcpy(a, b, 3);\n", "src/base/bytes.h"))
        self.assertEqual([], self.names("auto t = steady_clock::now();\n", "src/os/clock.cpp"))


class Text(Tree):
    def problems(self, name, text):
        self.write(name, text)
        return check_text.check(self.root)[0]

    def test_paths_of_one_machine_are_caught(self):
        self.assertEqual(1, len(self.problems("a.cmake", "set(x /wor" "k/main)\n")))

    def test_temporary_paths_are_caught_in_documents_only(self):
        self.assertEqual(1, len(self.problems("a.md", "see /tm" "p/x\n")))
        self.assertEqual(1, len(self.problems("a.sh", "mktemp /tm" "p/x.XXXX\n")))

    def test_registry_hosts_are_caught(self):
        self.assertEqual(1, len(self.problems("a.sh", "curl https://py" "pi.org/x\n")))

    def test_dead_links_and_loose_ends_are_caught(self):
        self.assertEqual(1, len(self.problems("a.md", "[x](nothing.md)\n")))
        self.assertEqual(1, len(self.problems("a.md", "blank at the end \n")))
        self.assertEqual(1, len(self.problems("a.md", "no newline")))

    def test_plain_text_passes(self):
        self.assertEqual([], self.problems("a.md", "[x](a.md), $TMPDIR, network/x, AoE/ATA\n"))


class Docs(Tree):
    HELP = "Usage: prog [OPTIONS] SUBCOMMAND\n\nOptions:\n  -h,--help  Print\n  --jobs N  many\n"

    def problems(self, help_text, page):
        program = self.write("bin/prog", f"#!/bin/sh\ncat <<'X'\n{help_text}X\n", 0o755)
        (self.root / "man").mkdir(exist_ok=True)
        if page is not None:
            self.write("man/prog.1.scd", page)
        return check_docs.check(program, self.root / "man")

    def test_agreement_passes(self):
        self.assertEqual([], self.problems(self.HELP, "*-h*, *--help*\n\n*--jobs* _N_\n"))

    def test_a_missing_page_is_caught(self):
        self.assertEqual(1, len(self.problems(self.HELP, None)))

    def test_an_option_missing_in_the_page_is_caught(self):
        self.assertIn("--jobs", "".join(self.problems(self.HELP, "*--help*\n")))

    def test_an_option_missing_in_help_is_caught(self):
        found = self.problems(self.HELP, "*--help* *--jobs* *--gone*, like mkfs --other\n")
        self.assertEqual(["prog: the man page has --gone, --help has not"], found)

    def test_a_missing_subcommand_is_caught(self):
        text = self.HELP + "\nSubcommands:\n  copy    Copies\n"
        program = self.write("bin/prog", f"#!/bin/sh\n[ $1 = copy ] && exec echo options: --help\n"
                                         f"cat <<'X'\n{text}X\n", 0o755)
        self.write("man/prog.1.scd", "*--help* *--jobs*\n")
        self.assertEqual(["prog: the man page lacks `prog copy`"],
                         check_docs.check(program, self.root / "man"))

    def test_a_page_of_another_section_is_not_that_of_a_subcommand(self):
        program = self.write("bin/prog", "#!/bin/sh\n[ $1 = copy ] && exec echo options: --help\n"
                                         "printf '  --help\\nSubcommands:\\n  copy  Copies\\n'\n", 0o755)
        self.write("man/prog.1.scd", "*--help* copy\n")
        self.write("man/prog-copy.8.scd", "*--old*\n")
        self.assertEqual([], check_docs.check(program, self.root / "man"))


class Results(Tree):
    def test_every_bats_test_counts_also_one_that_never_ran(self):
        tap = self.write("a.tap", "1..4\nok 1 fine\nnot ok 2 bad\n# why\nok 3 later # skip no tool\n")
        self.assertEqual(
            [("passed", "fine", ""), ("failed", "bad", ""), ("skipped", "later", "no tool"),
             ("failed", "test 4 of 4", "never ran")], list(results.tap_results(tap)))

    def test_junit_becomes_counts(self):
        junit = self.write("j.xml", """<testsuite>
            <testcase name="A.B" status="run"/>
            <testcase name="A.C" status="fail"><failure message="boom"/></testcase>
            <testcase name="A.D" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
              <system-out>[ RUN ] x\na.cpp:3: Skipped\nneeds a loop device\n[  SKIPPED ] x</system-out>
            </testcase>
            <testcase name="x_NOT_BUILT" status="notrun"><skipped message=""/></testcase>
            </testsuite>""")
        results.collect(self.root / "r", "dev", junit, self.root)
        rows = [line.split("\t") for line in (self.root / "r").read_text().splitlines()]
        self.assertEqual(["passed", "failed", "skipped", "failed"], [row[1] for row in rows])
        self.assertEqual("needs a loop device", rows[2][3])


if __name__ == "__main__":
    unittest.main(verbosity=1)
