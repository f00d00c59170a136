// Tells which network interfaces changed.
#pragma once

#include "base/result.h"

#include <map>
#include <memory>
#include <set>
#include <string>

struct mnl_socket;

namespace aoe::os {

// What happened since the last drain().
struct LinkChanges {
  std::set<std::string> names;
  // The kernel's queue overran and events were lost: treat every interface as changed.
  bool everything = false;

  [[nodiscard]] bool empty() const { return names.empty() && !everything; }

  [[nodiscard]] bool contains(const std::string& name) const {
    return everything || names.contains(name);
  }
};

// Subscribes to link events (up, down, carrier, MAC, MTU, creation, removal, rename) of the network
// namespace it was opened in. Needs no privileges. Single thread.
class LinkMonitor {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LinkMonitor>> open();

  // Readable when drain() has something.
  [[nodiscard]] int wait_fd() const;

  // Takes all waiting events; never blocks. A rename reports the old and the new name. An event
  // says "look again", not what is true now: ask query_interface().
  [[nodiscard]] LinkChanges drain();

 private:
  struct SocketClose {
    void operator()(mnl_socket* socket) const;
  };

  using SocketPtr = std::unique_ptr<mnl_socket, SocketClose>;

  explicit LinkMonitor(SocketPtr socket) : socket_(std::move(socket)) {}

  void remember_names();

  SocketPtr socket_;
  // By interface index: a rename event carries only the new name.
  std::map<int, std::string> names_;
};

}  // namespace aoe::os
