#include "frontends/block/attach_work.h"

#include "frontends/block/device_links.h"
#include "os/block_device_users.h"
#include "os/fd.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace aoe::block {
namespace {

Source source_of(const AttachCommand& command, const Places& places) {
  return {.address = command.address,
          .file = places.mount + "/" + to_string(command.address),
          .uri = command.uri.str(),
          .access = command.access};
}

// A block device of a disk that another host has reserved would have errors alone, and the kernel
// would look for partitions on one that does not answer, each time as long as a request may take.
// Whatever else is wrong with the first sector is for those who read it.
Result<void> check_answers(const Source& source) {
  const os::Fd file(::open(source.file.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<std::byte, kSectorBytes> sector{};
  if (!file || ::pread(file.get(), sector.data(), sector.size(), 0) >= 0) {
    return {};
  }
  if (errno == EPERM) {
    return fail_with(Errc::not_permitted, EPERM,
                     fmt::format("another host has reserved it (aoe reserve {0} list)",
                                 to_string(source.address)));
  }
  if (errno == ETIMEDOUT) {
    return fail_with(Errc::timed_out, ETIMEDOUT,
                     fmt::format("its first sector was not answered in time (aoe paths {0})",
                                 to_string(source.address)));
  }
  return {};
}

Result<void> attach(const AttachCommand& command, const Places& places, AttachAnswer& answer) {
  AOE_TRY(check_answers(source_of(command, places)));
  AOE_TRY_ASSIGN(const Attached attached,
                 attach_by(command.via.str(), source_of(command, places), front_ends()));
  if (!places.links.empty()) {
    if (auto linked = make_links(places.links, command.address, attached.device); !linked) {
      remove_links(places.links, command.address);
      static_cast<void>(attached.front_end->detach(attached.device));
      return fail(std::move(linked).error());
    }
  }
  answer.via = attached.front_end->name;
  answer.device = attached.device;
  answer.text = attached.passed_over;
  return {};
}

// Whether the block device is still the one of this disk: somebody may have taken it away by hand,
// and another file may have it now.
bool is_ours(const FrontEnd& front_end, const AttachCommand& command, const Places& places) {
  const Source source = source_of(command, places);
  return front_end.source_of(command.device.str()) ==
         (front_end.carrier == Carrier::own ? name_of_source(source.address) : source.file);
}

Result<const FrontEnd*> front_end_of(const AttachCommand& command) {
  const FrontEnd* front_end = find_front_end(command.via.str());
  if (front_end == nullptr) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("\"{}\": no such front end", command.via.str()));
  }
  return front_end;
}

Result<void> detach(const AttachCommand& command, const Places& places) {
  AOE_TRY_ASSIGN(const FrontEnd* const front_end, front_end_of(command));
  const std::string device = command.device.str();
  if (is_ours(*front_end, command, places)) {
    if (const auto users = os::block_device_users(device); !users.empty()) {
      return fail_with(Errc::busy, 0,
                       fmt::format("{}: in use: {}", device, fmt::join(users, ", ")));
    }
    AOE_TRY(front_end->detach(device));
  }
  if (!places.links.empty()) {
    remove_links(places.links, command.address);
  }
  return {};
}

Result<void> update_size(const AttachCommand& command, const Places& places) {
  AOE_TRY_ASSIGN(const FrontEnd* const front_end, front_end_of(command));
  if (!is_ours(*front_end, command, places)) {
    return {};
  }
  AOE_TRY(front_end->update_size(command.device.str(), command.bytes));
  return places.links.empty() ? Result<void>()
                              : make_links(places.links, command.address, command.device.str());
}

Result<void> resume(const AttachCommand& command, const Places& places, AttachAnswer& answer) {
  AOE_TRY_ASSIGN(const FrontEnd* const front_end, front_end_of(command));
  if (!is_ours(*front_end, command, places)) {
    return {};
  }
  AOE_TRY_ASSIGN(const bool was_dead,
                 front_end->resume(source_of(command, places), command.device.str()));
  if (was_dead) {
    answer.text = fmt::format("{} is served again", command.device.str());
  }
  return {};
}

// A crashed daemon's mount is taken away, so a file of it is named from the root of that mount.
Result<void> sweep(const Places& places, AttachAnswer& answer) {
  std::string text;
  for (const auto& [address, device] : read_links(places.links)) {
    for (const FrontEnd& front_end : front_ends()) {
      if (front_end.carrier == Carrier::own ||
          front_end.source_of(device) != "/" + to_string(address)) {
        continue;
      }
      auto users = os::block_device_users(device);
      if (users.empty()) {
        if (auto detached = front_end.detach(device); !detached) {
          users.push_back(std::move(detached).error().message);
        }
      }
      if (users.empty()) {
        remove_links(places.links, address);
      }
      text += fmt::format("{}{}: {} was left by a daemon that is gone{}", text.empty() ? "" : "; ",
                          to_string(address), device,
                          users.empty() ? ", and is given back"
                                        : fmt::format(" and stays: {}", fmt::join(users, ", ")));
    }
  }
  answer.text = text;
  return {};
}

Result<void> dispatch(const AttachCommand& command, const Places& places, AttachAnswer& answer) {
  switch (command.op) {
    case AttachOp::attach:
      return attach(command, places, answer);
    case AttachOp::detach:
      return detach(command, places);
    case AttachOp::update_size:
      return update_size(command, places);
    case AttachOp::resume:
      return resume(command, places, answer);
    case AttachOp::forget:
      if (!places.links.empty()) {
        remove_links(places.links, command.address);
      }
      return {};
    case AttachOp::sweep:
      return places.links.empty() ? Result<void>() : sweep(places, answer);
  }
  return fail_with(Errc::unsupported, 0, "no such command");
}

}  // namespace

AttachAnswer carry_out(const AttachCommand& command, const Places& places) {
  AttachAnswer answer;
  answer.id = command.id;
  const auto done = dispatch(command, places, answer);
  answer.is_ok = done.has_value();
  if (!done) {
    answer.code = done.error().code;
    answer.os_errno = done.error().os_errno;
    answer.text = done.error().message;
  }
  return answer;
}

}  // namespace aoe::block
