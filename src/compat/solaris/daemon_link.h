// How the commands reach the initiator daemon.
#pragma once

#include "base/result.h"
#include "compat/solaris/arguments.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/daemon_targets.h"
#include "control/client.h"

#include <memory>
#include <string>
#include <vector>

namespace aoe::compat::solaris {

// What all of these commands take: --control PATH and -d DIR, the directory of the channels.
struct DaemonPlaces {
  std::string control;
  std::string channels;
};

[[nodiscard]] DaemonPlaces places_of(const Call& call, const Arguments& arguments);

[[nodiscard]] Result<std::unique_ptr<control::Client>> connect(const DaemonPlaces& places);

[[nodiscard]] Result<std::vector<DaemonTarget>> ask_targets(control::Client& client,
                                                            const std::vector<Channel>& channels);

// The names of the interfaces that the daemon uses now.
[[nodiscard]] Result<std::vector<std::string>> ask_interfaces(control::Client& client);

// Makes the interface one of the daemon's, or changes its limit. Others are not touched.
[[nodiscard]] Result<void> use_interface(control::Client& client, const Channel& channel);
// One that is not used is no error.
[[nodiscard]] Result<void> leave_interface(control::Client& client, const Channel& channel);

}  // namespace aoe::compat::solaris
