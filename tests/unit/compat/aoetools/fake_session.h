// A session whose network is one target that answers at once.
#pragma once

#include "client/session.h"
#include "unit/client/target_port.h"

#include <memory>
#include <utility>
#include <vector>

namespace aoe::compat::aoetools {

[[nodiscard]] inline std::unique_ptr<client::Session> session_with(
    client::TargetPort::Answerer answerer) {
  std::vector<std::unique_ptr<net::PacketPort>> ports;
  ports.push_back(std::make_unique<client::TargetPort>("test0", std::move(answerer)));
  client::SessionOptions options;
  options.seed = 1;
  options.requests_max = 8;
  return *client::Session::open_over(std::move(ports), options);
}

// Its answer, as an error of the target.
[[nodiscard]] inline initiator::Bytes refused(initiator::Bytes reply, std::uint8_t code) {
  reply[14] |= std::byte{0x04};
  reply[15] = std::byte{code};
  return reply;
}

}  // namespace aoe::compat::aoetools
