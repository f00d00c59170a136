# Makes the manual pages of libaoe's calls, in scdoc's form, from the comments of include/aoe/aoe.h:
#
#   awk -v out=DIRECTORY -f call_pages.awk aoe.h
#
# A comment and the declarations right below it are one page, NAME.3.scd for the first of them; each
# of the others gets a NAME.3 that refers to it. Inside the comment:
#
#   first line         the NAME line, as a sentence
#   paragraph          DESCRIPTION
#   "Returns .."       RETURN VALUE
#   "Errors:"          ERRORS: lines "  NUMBER  when"
#   "See also: a, b"   SEE ALSO, before libaoe(3)
#
# Structures, callback types and enumerations are shown in the SYNOPSIS of every page that needs them,
# with their comments. A call without a comment, a Returns paragraph or an error is refused.

function fail(message) {
  print FILENAME ":" FNR ": " message > "/dev/stderr"
  failed = 1
  exit 1
}

function escaped(text) {
  gsub(/[*_\\]/, "\\\\&", text)
  return text
}

# Names of calls and `code` in bold.
function marked(text,    done, token, at) {
  done = ""
  while (match(text, /`[^`]+`|[a-z_]+\(\)|[a-z_]+\([1-8]\)/)) {
    token = substr(text, RSTART, RLENGTH)
    done = done escaped(substr(text, 1, RSTART - 1))
    text = substr(text, RSTART + RLENGTH)
    if (token ~ /^`/) {
      done = done "*" escaped(substr(token, 2, length(token) - 2)) "*"
    } else {
      at = index(token, "(")
      done = done "*" escaped(substr(token, 1, at - 1)) "*" substr(token, at)
    }
  }
  return done escaped(text)
}

# Marks the types that a text mentions, and those that these mention.
function mark_types(text,    i) {
  for (i = 1; i <= types; i++) {
    if (!(i in on_page) && text ~ ("(^|[^a-zA-Z0-9_])" type_name[i])) {
      on_page[i] = 1
      mark_types(type_text[i])
    }
  }
}

# In the order of the header.
function marked_types(    i, shown) {
  shown = ""
  for (i = 1; i <= types; i++) {
    shown = shown (i in on_page ? type_text[i] "\n\n" : "")
  }
  return shown
}

# Adds one line of the comment to the section that it belongs to.
function add_line(line) {
  if (line ~ /^Returns /) {
    section = "RETURN VALUE"
  } else if (line ~ /^Errors:$/) {
    section = "ERRORS"
    return
  } else if (line ~ /^See also: /) {
    gsub(/^See also: |,/, "", line)
    see_also = line
    return
  }
  if (section == "ERRORS" && match(line, /^  [A-Z]+  +/)) {
    split(line, words, " ")
    line = "*" words[1] "*\n\t" marked(substr(line, RLENGTH + 1))
    text[section] = text[section] (text[section] == "" ? "" : "\n\n") line
  } else if (section == "ERRORS" && line != "") {
    sub(/^ +/, "", line)
    text[section] = text[section] "\n\t" marked(line)
  } else {
    text[section] = text[section] marked(line) "\n"
  }
}

function begin_page() {
  section = "DESCRIPTION"
  see_also = ""
  split("", text)
  split("", on_page)
  mark_types(declarations)
  for (i = 2; i <= comments; i++) {
    mark_types(comment[i])
    add_line(comment[i])
  }
}

function write_page(    file, names, i, count, see) {
  begin_page()
  if (comments == 0 || text["RETURN VALUE"] == "") {
    fail(call[1] ": no comment, or none that says what it returns")
  }
  file = out "/" call[1] ".3.scd"
  names = escaped(call[1])
  for (i = 2; i <= calls; i++) {
    names = names ", " escaped(call[i])
    print ".so man3/" call[1] ".3" > (out "/" call[i] ".3")
    close(out "/" call[i] ".3")
  }
  sub(/\.$/, "", comment[1])
  print call[1] "(3) \"aoekit\" \"Library Functions\"\n\n# NAME\n" > file
  print names " - " tolower(substr(comment[1], 1, 1)) marked(substr(comment[1], 2)) > file
  print "\n# LIBRARY\n\n*libaoe* (_-laoe_, _pkg-config libaoe_)\n\n# SYNOPSIS\n\n```" > file
  printf "#include <aoe/aoe.h>\n\n%s%s```\n\n", marked_types(), declarations > file
  if (text["DESCRIPTION"] ~ /[a-z]/) {
    print "# DESCRIPTION\n" text["DESCRIPTION"] > file
  }
  print "# RETURN VALUE\n\n" text["RETURN VALUE"] > file
  if (text["ERRORS"] != "") {
    print "# ERRORS\n\n" text["ERRORS"] "\n\nThe text is in *aoe\\_get\\_error*(3).\n" > file
  }
  print "# SEE ALSO\n" > file
  count = split(see_also, see, " ")
  for (i = 1; i <= count; i++) {
    print "*" escaped(see[i]) "*(3)," > file
  }
  print "*libaoe*(3)" > file
  close(file)
}

function end_group() {
  if (calls > 0) {
    write_page()
  }
  calls = 0
  comments = 0
  declarations = ""
}

/^\/\/ ?/ && !in_type {
  if (calls > 0) {
    end_group()
  }
  line = $0
  sub(/^\/\/ ?/, "", line)
  comment[++comments] = line
  next
}

# A type: until the closing brace, or the semicolon of a callback. Its name is the pattern by which it
# is found: of an enumeration, the prefix of its members.
/^(struct [a-z_]+|enum) \{$/ || /^typedef / {
  in_type = 1
  body = ""
  name = /^struct/ ? "struct " $2 "[^a-z_]" : ""
}

in_type {
  body = body (body == "" ? "" : "\n") $0
  if (name == "" && match($0, /\*[a-z_]+\)/)) {
    name = substr($0, RSTART + 1, RLENGTH - 2) "[^a-z_]"
  } else if (name == "" && match($0, /^  AOE_[A-Z]+_/)) {
    name = substr($0, RSTART + 2, RLENGTH - 2)
  }
  if (/;$/ && (/^\}/ || body ~ /^typedef/)) {
    type_name[++types] = name
    type_text[types] = body
    in_type = 0
    comments = 0
  }
  next
}

/^AOE_PUBLIC / || in_declaration {
  line = $0
  sub(/^AOE_PUBLIC /, "", line)
  sub(/^           /, "", line)
  if (match($0, /aoe_[a-z0-9_]+\(/) && !in_declaration) {
    call[++calls] = substr($0, RSTART, RLENGTH - 1)
  }
  declarations = declarations line "\n"
  in_declaration = !/;$/
  next
}

/^$/ {
  end_group()
}

END {
  if (!failed) {
    end_group()
  }
}
