// What the Linux driver's files say of a device, in its formats, for programs that read those
// (aoetools above all). Source: drivers/block/aoe/aoeblk.c and aoechr.c of Linux 7.2.
#pragma once

#include "client/core_runner.h"
#include "initiator/device.h"
#include "initiator/frame_log.h"
#include "initiatord/device_users.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace aoe::initiatord {

// "up\n", "down\n", or "down,closewait\n" while somebody has it open.
[[nodiscard]] std::string driver_state(const initiator::Device& device, const DeviceUsers& users);

// Twelve hexadecimal digits of the first path's target, or "none".
[[nodiscard]] std::string driver_mac(const initiator::Device& device);

// "eth1,eth2", each interface once, or "none".
[[nodiscard]] std::string driver_netif(const initiator::Device& device,
                                       const client::CoreRunner& runner);

// "0x4000"
[[nodiscard]] std::string driver_firmware(std::uint16_t version);

// Bytes of data in a frame.
[[nodiscard]] std::string driver_payload(const initiator::Device& device);

// The driver's debugfs file: round trips in microseconds, then for each target its windows.
// Pointers and counters of kernel internals are 0, and frames that write are counted with those
// that read.
[[nodiscard]] std::string driver_debug(const initiator::Device& device, const DeviceUsers& users,
                                       const client::CoreRunner& runner);

// A line of `err`, exactly as the driver's (which says nothing of requests that it gives up):
//
//      retransmit e1.0 oldtag=809cc022@1237d2026 newtag=809cc022 s=00188b751c17 d=003048b96514
//      nout=1
//  unexpected rsp e1.0    tag=809cc022@1237d2028 s=003048b96514 d=00188b751c17
//        given up e1.0    tag=809cc022@1237d2028 s=00188b751c17 d=003048b96514 sent=9
//
// A frame of ours keeps its tag when it is sent again, and the time behind the tag is in
// milliseconds.
[[nodiscard]] std::string driver_frame_note(const initiator::FrameNote& note);

// A line of `err` for an event of ours: the driver's column of 15 characters, then the device and
// where it happened.
//
//         path down e7.1 s=003048b96514 eth1
[[nodiscard]] std::string driver_event(const nlohmann::json& event);

}  // namespace aoe::initiatord
