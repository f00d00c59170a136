#include "initiatord/event_text.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace aoe::initiatord
