// Giving privileges up for good.
#pragma once

#include "base/result.h"

#include <sys/types.h>

#include <string>

namespace aoe::os {

enum class KeepNetRaw : bool { no, yes };
enum class SupplementaryGroups : bool { none, of_user };

struct PrivilegeDrop {
  // A name or a number; empty keeps the present user and gives up only capabilities.
  std::string user = "nobody";
  // A name or a number; empty means the user's own group.
  std::string group{};
  // `of_user`: the groups that the user database lists ("disk" to open block devices again later).
  SupplementaryGroups supplementary = SupplementaryGroups::none;
  // With CAP_NET_RAW new packet sockets can be opened later (an interface added by a reload).
  // Sockets opened before work without it.
  KeepNetRaw keep_net_raw = KeepNetRaw::no;
};

struct UserIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Who the process would be after `drop`: the owner that files it needs later must have.
[[nodiscard]] Result<UserIdentity> identity_after(const PrivilegeDrop& drop);

// Changes user and groups, drops every capability but the chosen one from all sets (bounding and
// ambient too) and sets no_new_privs, so that no set-user-ID program can bring anything back.
//
// Call it while the process has one thread: capabilities belong to threads. Without root and with
// `user` empty or our own it still drops what there is. Errors: not_found (no such user or group),
// not_permitted (changing user takes root, or CAP_SETUID, CAP_SETGID and CAP_SETPCAP), io. After an
// error some privileges may be gone already: end the program.
[[nodiscard]] Result<void> drop_privileges(const PrivilegeDrop& drop);

}  // namespace aoe::os
