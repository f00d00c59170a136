// Unix stream sockets in the file system: how a control socket is opened and reached.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace aoe::os {

struct UnixListenOptions {
  std::string path;  // at most 107 bytes (unix(7)); a missing last directory is made, mode 0755
  mode_t mode = 0660;
  std::optional<gid_t> group{};  // the socket file's group; else that of the process
  int backlog = 64;
};

// A listening, non-blocking socket at the path. What a dead process left there is replaced; what a
// living one serves, and anything that is not a socket, is left alone.
//
// Errors: already_exists (somebody serves there, or it is no socket), invalid_argument (the path is
// too long), not_permitted, busy (another program is opening it at this moment), io.
[[nodiscard]] Result<Fd> listen_unix(const UnixListenOptions& options);

// A connected, non-blocking socket. Errors: unavailable (nothing is there or nobody listens),
// not_permitted, busy (its queue of connections is full: try again), invalid_argument, io.
[[nodiscard]] Result<Fd> connect_unix(const std::string& path);

// Who connected, as the kernel recorded it at connect() (SO_PEERCRED, SO_PEERGROUPS).
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones; empty on kernels that cannot tell
};

// Errors: io.
[[nodiscard]] Result<PeerCredentials> peer_credentials(int socket);

}  // namespace aoe::os
