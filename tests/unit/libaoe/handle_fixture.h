// A handle over a port with a target behind it: what the tests of the calls share.
#pragma once

#include "aoe/aoe.h"
#include "libaoe/handle.h"
#include "unit/client/target_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace aoe::libaoe {

class HandleTest : public ::testing::Test {
 protected:
  HandleTest() {
    std::vector<std::unique_ptr<net::PacketPort>> ports;
    ports.push_back(std::make_unique<client::TargetPort>("test0", [this](const auto& sent) {
      if (sent.is_data()) {
        ++data_frames;
      }
      return hook ? hook(sent) : target.answer(sent);
    }));
    auto opened = client::Session::open_over(
        std::move(ports),
        {.interfaces = {}, .seed = 1, .requests_max = Network::session_requests_max()});
    EXPECT_TRUE(opened);
    session = opened->get();
    network = *Network::over(*std::move(opened));
    handle = aoe_create();
    handle->use_network(network);
  }

  ~HandleTest() override { EXPECT_EQ(aoe_close(handle), 0) << aoe_get_error(); }

  HandleTest(const HandleTest&) = delete;
  HandleTest& operator=(const HandleTest&) = delete;

  void open() const { ASSERT_EQ(aoe_open(handle, "aoe:e7.1"), 0) << aoe_get_error(); }

  // What a completion was called with, and how often.
  struct Outcome {
    int calls = 0;
    int error = -1;
    std::string text;
  };

  static void note(void* outcome, int error) {
    auto& into = *static_cast<Outcome*>(outcome);
    ++into.calls;
    into.error = error;
    if (error != 0) {
      into.text = aoe_get_error();
    }
  }

  initiator::FakeTarget target{256};
  client::TargetPort::Answerer hook;
  unsigned data_frames = 0;
  client::Session* session = nullptr;
  std::shared_ptr<Network> network;
  aoe_handle* handle = nullptr;
};

// EXPECT_CALL is gmock's; this one is about errno and the text.
inline ::testing::AssertionResult failed_with(int result, int number, const char* text) {
  if (result != -1) {
    return ::testing::AssertionFailure() << "returned " << result;
  }
  const std::string said = aoe_get_error();
  if (aoe_get_errno() != number || said.find(text) == std::string::npos) {
    return ::testing::AssertionFailure() << "error " << aoe_get_errno() << ": " << said;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace aoe::libaoe
