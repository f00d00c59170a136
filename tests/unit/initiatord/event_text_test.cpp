#include "initiatord/event_text.h"

#include "support/config_docs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace aoe::initiatord {
namespace {

using initiator::Event;
using initiator::EventKind;

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr MacAddress kMac{{2, 0, 0, 0, 0, 0x20}};

TEST(EventText, PathsAreNamedByMacAndInterface) {
  const Event event{.kind = EventKind::path_down, .address = kE71, .mac = kMac};
  EXPECT_EQ(describe(event, "eth1").text, "e7.1: path down: 02:00:00:00:00:20 on eth1");
  const auto json = to_json(event, "eth1");
  EXPECT_EQ(json["type"], "path_down");
  EXPECT_EQ(json["address"], "e7.1");
  EXPECT_EQ(json["interface"], "eth1");
  EXPECT_EQ(json["mac"], "02:00:00:00:00:20");
}

TEST(EventText, DevicesTellTheirSizeAndNoPath) {
  const Event event{.kind = EventKind::device_resized,
                    .address = kE71,
                    .mac = kMac,
                    .sectors = 4096,
                    .sectors_before = 2048};
  EXPECT_EQ(describe(event, "eth1").text, "e7.1: size changed from 2048 to 4096 sectors");
  EXPECT_EQ(to_json(event, "eth1")["size_sectors"], 4096);
  const Event up{.kind = EventKind::device_up, .address = kE71, .sectors = 8};
  EXPECT_FALSE(to_json(up, "eth1").contains("interface"));
  EXPECT_EQ(to_json(up, "eth1")["size_sectors"], 8);
}

TEST(EventText, QuarantineSaysWhyAndWhatToDo) {
  Event event{.kind = EventKind::path_quarantined, .address = kE71, .mac = kMac};
  for (const auto& [reason, text] :
       {std::pair{initiator::QuarantineReason::identity, "another disk"},
        std::pair{initiator::QuarantineReason::instance, "instances"},
        std::pair{initiator::QuarantineReason::pin, "configuration"}}) {
    event.reason = reason;
    EXPECT_NE(describe(event, "eth1").text.find(text), std::string::npos);
    EXPECT_EQ(to_json(event, "eth1")["reason"], initiator::quarantine_reason_name(reason));
  }
}

TEST(EventText, LostEventsAreAboutNoDevice) {
  const Event event{.kind = EventKind::events_lost};
  EXPECT_EQ(describe(event, "").text, "events were lost");
  EXPECT_FALSE(to_json(event, "").contains("address"));
}

TEST(EventText, ARequestThatTimedOutIsToldWithTheStartOfItsFrame) {
  initiator::FrameNote note{.kind = initiator::FrameNote::Kind::given_up,
                            .address = {Shelf{7}, Slot{1}},
                            .transmissions = 5};
  note.frame[0] = std::byte{0xAB};
  const auto json = timed_out_json(note, "eth1");
  EXPECT_EQ(json["type"], "request_timed_out");
  EXPECT_EQ(json["address"], "e7.1");
  EXPECT_EQ(json["interface"], "eth1");
  EXPECT_EQ(json["transmissions"], 5);
  EXPECT_EQ(json["frame"].get<std::string>().substr(0, 4), "ab00");
  EXPECT_EQ(json["frame"].get<std::string>().size(), 2 * note.frame.size());
}

TEST(EventText, AttachedAndDetachedDevicesAreToldWithTheirBlockDevice) {
  const DeviceAddress address{Shelf{7}, Slot{1}};
  const auto attached = attachment_json(Attachment::attached, address, "/dev/loop0");
  EXPECT_EQ(attached["type"], "device_attached");
  EXPECT_EQ(attached["text"], "e7.1: attached as /dev/loop0");
  EXPECT_EQ(attached["block_device"], "/dev/loop0");
  EXPECT_EQ(attachment_json(Attachment::detached, address, "/dev/loop0")["text"],
            "e7.1: detached from /dev/loop0");
}

// The members of an event besides those that all have, as docs/CONTROL.md lists them.
std::string line_of(const nlohmann::json& event) {
  std::string line = "    " + event["type"].get<std::string>() + ":";
  for (const char* const name :
       {"address", "mac", "interface", "size_sectors", "size_sectors_before", "reason",
        "payload_bytes", "payload_bytes_before", "transmissions", "frame", "block_device"}) {
    line += event.contains(name) ? std::string(" ") + name : std::string();
  }
  return line + "\n";
}

TEST(EventText, ThePageAboutTheControlSocketHasEveryEventWithItsMembers) {
  const std::string page = test::read_source_file("docs/CONTROL.md");
  const auto expect_line = [&](const nlohmann::json& event, std::size_t members) {
    EXPECT_NE(page.find(line_of(event)), std::string::npos) << line_of(event);
    EXPECT_EQ(event.size(), members + 2) << "type, text and " << line_of(event);
  };
  const auto last = static_cast<unsigned>(EventKind::events_lost);
  for (unsigned kind = 0; kind <= last; ++kind) {
    const auto event =
        to_json({.kind = static_cast<EventKind>(kind), .address = kE71, .mac = kMac}, "eth1");
    const std::string line = line_of(event);
    expect_line(event, static_cast<std::size_t>(std::count(line.begin() + 4, line.end(), ' ')));
  }
  expect_line(timed_out_json({.kind = initiator::FrameNote::Kind::given_up}, "eth1"), 5);
  expect_line(attachment_json(Attachment::attached, kE71, "/dev/loop0"), 2);
  expect_line(attachment_json(Attachment::detached, kE71, "/dev/loop0"), 2);
}

}  // namespace
}  // namespace aoe::initiatord
