#include "frontends/block/attach_process.h"

#include "frontends/block/device_links.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>

#include <map>
#include <string>

namespace aoe::block {
namespace {

using ::testing::HasSubstr;

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};

AttachAnswer next_answer(AttachProcess& process) {
  for (;;) {
    if (const auto answer = process.next()) {
      return *answer;
    }
    pollfd wait{.fd = process.wait_fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&wait, 1, -1), 1);
  }
}

TEST(AttachProcess, AnswersEveryCommandByItsNumber) {
  const aoe::testing::TempDir directory;
  const std::string links = directory.path("etherd");
  auto process = AttachProcess::start({.mount = directory.path("mount"), .links = links});
  ASSERT_TRUE(process);
  EXPECT_FALSE((*process)->next());
  ASSERT_TRUE(make_links(links, kE71, "/dev/nowhere0"));

  AttachCommand forget;
  forget.id = 17;
  forget.op = AttachOp::forget;
  forget.address = kE71;
  AttachCommand floppy;
  floppy.id = 18;
  floppy.address = kE71;
  floppy.via = "floppy";
  ASSERT_TRUE((*process)->send(forget));
  ASSERT_TRUE((*process)->send(floppy));

  std::map<std::uint64_t, AttachAnswer> answers;
  while (answers.size() < 2) {
    const AttachAnswer answer = next_answer(**process);
    answers[answer.id] = answer;
  }
  EXPECT_TRUE(answers[17].is_ok);
  EXPECT_TRUE(read_links(links).empty());
  EXPECT_FALSE(answers[18].is_ok);
  EXPECT_EQ(answers[18].code, Errc::invalid_argument);
  EXPECT_THAT(answers[18].text.str(), HasSubstr("\"floppy\": expected auto"));
  EXPECT_FALSE((*process)->has_ended());
}

TEST(AttachProcess, WhatIsNotOursIsNotDetached) {
  const aoe::testing::TempDir directory;
  auto process = AttachProcess::start({.mount = directory.path("mount"), .links = ""});
  ASSERT_TRUE(process);
  AttachCommand detach;
  detach.id = 1;
  detach.op = AttachOp::detach;
  detach.address = kE71;
  detach.via = "loop";
  // Such a name has no file behind it: the block device is gone already.
  detach.device = "/dev/loop-control";
  ASSERT_TRUE((*process)->send(detach));
  EXPECT_TRUE(next_answer(**process).is_ok);
}

TEST(AttachMessage, TextsAreCutToTheirRoom) {
  ShortText<4> text;
  text = "device";
  EXPECT_EQ(text.str(), "devi");
  text = "";
  EXPECT_EQ(text.str(), "");
}

}  // namespace
}  // namespace aoe::block
