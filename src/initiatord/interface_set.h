// The interfaces that the daemon uses, as ports of its runner.
#pragma once

#include "base/ids.h"
#include "base/port_kind.h"
#include "base/result.h"
#include "client/core_runner.h"
#include "net/open_xdp_port.h"

#include <string>
#include <vector>

namespace aoe::initiatord {

// Lives on the loop's thread; the runner outlives it.
class InterfaceSet {
 public:
  InterfaceSet(client::CoreRunner& runner, PortKind kind) : runner_(runner), kind_(kind) {}

  struct Outcome {
    std::vector<std::string> added;
    std::vector<std::string> removed;
  };

  // Uses exactly these interfaces from now on, or with the single name "auto" all of real Ethernet
  // that has carrier, now or later. A name without an interface waits for it. Ports that stay are
  // not touched. No name at all: none is used. On an error nothing has changed. Errors:
  // invalid_argument (one twice, too many), unsupported (not Ethernet), not_permitted, io, and the
  // first time those of AF_XDP if it is asked for; later a port does without it.
  [[nodiscard]] Result<Outcome> set(const std::vector<std::string>& names);

  // Links changed: with "auto", takes in what has come up since. What went stays, and works again
  // when it is back.
  [[nodiscard]] Result<Outcome> follow_links();

  // What set() was given.
  [[nodiscard]] const std::vector<std::string>& wanted() const { return wanted_; }

  // The ports in use.
  [[nodiscard]] const std::vector<PortId>& ports() const { return ports_; }

 private:
  [[nodiscard]] bool is_used(const std::string& name) const;
  [[nodiscard]] Result<Outcome> use(const std::vector<std::string>& names, bool keep_others);

  client::CoreRunner& runner_;
  PortKind kind_;
  net::WithoutXdp without_xdp_ = net::WithoutXdp::refuse;
  std::vector<std::string> wanted_;
  std::vector<PortId> ports_;
};

}  // namespace aoe::initiatord
