#include "os/privileges.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace aoe::os {
namespace {

struct Identity {
  std::string user_name;  // empty for a number that the user database does not know
  uid_t uid = 0;
  gid_t gid = 0;
};

// Room for any reasonable entry; the library says ERANGE beyond.
constexpr std::size_t kEntryBytes = 65536;

std::optional<unsigned> parse_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // The highest value means "leave as it is" to the system calls.
  if (error != std::errc{} || end != text.data() + text.size() || value == ~0U) {
    return std::nullopt;
  }
  return value;
}

Result<Identity> find_user(const std::string& user) {
  std::vector<char> memory(kEntryBytes);
  passwd entry{};
  passwd* found = nullptr;
  const std::optional<unsigned> number = parse_number(user);
  const int error = number
                        ? ::getpwuid_r(*number, &entry, memory.data(), memory.size(), &found)
                        : ::getpwnam_r(user.c_str(), &entry, memory.data(), memory.size(), &found);
  if (found != nullptr) {
    return Identity{entry.pw_name, entry.pw_uid, entry.pw_gid};
  }
  if (number) {
    return Identity{"", *number, *number};
  }
  return fail_with(Errc::not_found, error, fmt::format("{}: no such user (see passwd(5))", user));
}

Result<gid_t> find_group(const std::string& group) {
  if (const std::optional<unsigned> number = parse_number(group)) {
    return gid_t{*number};
  }
  std::vector<char> memory(kEntryBytes);

  struct group entry {};
  struct group* found = nullptr;
  const int error = ::getgrnam_r(group.c_str(), &entry, memory.data(), memory.size(), &found);
  if (found == nullptr) {
    return fail_with(Errc::not_found, error,
                     fmt::format("{}: no such group (see group(5))", group));
  }
  return entry.gr_gid;
}

Result<Identity> target_identity(const PrivilegeDrop& drop) {
  Identity identity{"", ::geteuid(), ::getegid()};
  if (!drop.user.empty()) {
    AOE_TRY_ASSIGN(identity, find_user(drop.user));
  }
  if (!drop.group.empty()) {
    AOE_TRY_ASSIGN(identity.gid, find_group(drop.group));
  }
  return identity;
}

// Needs CAP_SETGID, so it comes before the user changes.
Result<void> set_groups(const Identity& identity, SupplementaryGroups supplementary) {
  const bool of_user = supplementary == SupplementaryGroups::of_user && !identity.user_name.empty();
  const int result =
      of_user ? ::initgroups(identity.user_name.c_str(), identity.gid) : ::setgroups(0, nullptr);
  if (result < 0) {
    return fail(os_error(errno, "drop privileges: set groups (needs CAP_SETGID)"));
  }
  return {};
}

// libcap-ng keeps its work in a per-thread state: select, then apply.
void select_capabilities(KeepNetRaw keep) {
  capng_clear(CAPNG_SELECT_ALL);
  if (keep == KeepNetRaw::yes) {
    capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 CAP_NET_RAW);
  }
}

}  // namespace

Result<UserIdentity> identity_after(const PrivilegeDrop& drop) {
  AOE_TRY_ASSIGN(const Identity identity, target_identity(drop));
  return UserIdentity{identity.uid, identity.gid};
}

Result<void> drop_privileges(const PrivilegeDrop& drop) {
  AOE_TRY_ASSIGN(const Identity identity, target_identity(drop));
  const bool changes_identity = identity.uid != ::geteuid() || identity.gid != ::getegid();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    return fail(os_error(errno, "drop privileges: no_new_privs"));
  }
  capng_get_caps_process();
  const bool may_change_groups = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID) != 0;
  const bool had_net_raw = capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW) != 0;
  const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  if (drop.keep_net_raw == KeepNetRaw::yes && !had_net_raw) {
    return fail_with(Errc::not_permitted, EPERM,
                     "drop privileges: cannot keep CAP_NET_RAW: this process does not have it");
  }
  if (may_change_groups || changes_identity) {
    AOE_TRY(set_groups(identity, drop.supplementary));
  }
  select_capabilities(drop.keep_net_raw);
  if (changes_identity) {
    const capng_flags_t flags = may_bound ? CAPNG_CLEAR_BOUNDING : CAPNG_NO_FLAG;
    const int result =
        capng_change_id(static_cast<int>(identity.uid), static_cast<int>(identity.gid), flags);
    if (result < 0) {
      return fail_with(Errc::not_permitted, errno,
                       fmt::format("drop privileges: become user {} group {}: libcap-ng error {} "
                                   "(needs root)",
                                   identity.uid, identity.gid, result));
    }
  }
  select_capabilities(drop.keep_net_raw);
  if (may_bound && !changes_identity && capng_apply(CAPNG_SELECT_BOUNDS) < 0) {
    return fail(os_error(errno, "drop privileges: shrink the bounding set"));
  }
  if (capng_apply(CAPNG_SELECT_CAPS) < 0) {
    return fail(os_error(errno, "drop privileges: drop capabilities"));
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (identity.uid != 0 && ::setuid(0) == 0) {
    return fail_with(Errc::io, 0, "drop privileges: the process could become root again");
  }
  return {};
}

}  // namespace aoe::os
