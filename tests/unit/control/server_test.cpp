#include "control/server.h"

#include "control/client.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace aoe::control {
namespace {

// A far past: run_once looks at what is ready and does not wait.
constexpr Instant kNow{1};

std::unique_ptr<runtime::EventLoop> make_loop() {
  auto loop = runtime::EventLoop::create({});
  EXPECT_TRUE(loop.has_value());
  return *std::move(loop);
}

// A client without manners: writes any bytes, reads when told to.
class RawClient {
 public:
  explicit RawClient(Server& server) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    fd_ = os::Fd(ends[0]);
    server.adopt(os::Fd(ends[1]));
  }

  void write(std::string_view bytes) {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // Everything that is there now; `ended` says whether the server has closed.
  std::string read() {
    std::string all;
    std::array<char, 65536> bytes{};
    ssize_t count = 0;
    while ((count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0)) > 0) {
      all.append(bytes.data(), static_cast<std::size_t>(count));
    }
    // The server closes with our bytes unread when they are too many, which resets the connection.
    ended = count == 0 || errno == ECONNRESET;
    return all;
  }

  void shut_down_writing() { ::shutdown(fd_.get(), SHUT_WR); }

  void close() { fd_.reset(); }

  bool ended = false;

 private:
  os::Fd fd_;
};

std::vector<Json> lines(const std::string& text) {
  std::vector<Json> all;
  LineSplitter splitter(std::size_t{64} << 20U);
  splitter.append(text);
  while (const auto line = splitter.next_line()) {
    all.push_back(Json::parse(*line));
  }
  EXPECT_EQ(splitter.buffered_bytes(), 0U);
  return all;
}

class ControlServer : public ::testing::Test {
 protected:
  ControlServer() : ControlServer(Server::Options{}) {}

  explicit ControlServer(Server::Options options)
      : loop_(make_loop()), server_(Server::create_detached(*loop_, std::move(options))) {
    server_->add_method("echo", [](const Json& params) -> Result<Json> { return params; });
    server_->add_method("fail", [](const Json&) -> Result<Json> {
      return fail_with(Errc::not_found, 0, "e7.1: no such export");
    });
    server_->add_method("typed", [](const Json& params) -> Result<Json> {
      return Json(params.at("n").get<int>());
    });
    server_->add_deferred_method(
        "later", [this](const Json&, Reply reply) { replies_.push_back(std::move(reply)); });
  }

  void turn(int times = 8) {
    for (int i = 0; i < times; ++i) {
      loop_->run_once(kNow);
    }
  }

  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<Server> server_;
  std::vector<Reply> replies_;
};

TEST_F(ControlServer, AnswersEveryLineWithResultOrError) {
  RawClient client(*server_);
  client.write(
      "{\"version\":1,\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[1,2]}}\n"
      "{\"version\":1,\"id\":2,\"method\":\"fail\"}\n"
      "not json\n"
      "\n"
      "{\"version\":1,\"id\":3,\"method\":\"nobody\"}\n"
      "{\"version\":7,\"id\":4,\"method\":\"echo\"}\n"
      "{\"version\":1,\"id\":5,\"method\":\"typed\",\"params\":{\"n\":\"x\"}}\n"
      "{\"version\":1,\"id\":6,\"method\":\"echo\"}\n");
  turn();
  const auto answers = lines(client.read());
  ASSERT_EQ(answers.size(), 7U);
  EXPECT_EQ(answers[0]["result"], (Json{{"a", {1, 2}}}));
  EXPECT_EQ(answers[1]["error"]["code"], "not_found");
  EXPECT_EQ(answers[1]["error"]["message"], "e7.1: no such export");
  EXPECT_EQ(answers[2]["id"], nullptr);
  EXPECT_EQ(answers[2]["error"]["code"], "invalid_argument");
  EXPECT_EQ(answers[3]["id"], 3);
  EXPECT_EQ(answers[3]["error"]["code"], "not_found");
  EXPECT_EQ(answers[4]["error"]["code"], "unsupported");
  EXPECT_EQ(answers[5]["error"]["code"], "invalid_argument");
  EXPECT_EQ(answers[6]["id"], 6);
  EXPECT_FALSE(client.ended);
}

TEST_F(ControlServer, AnswersALineWithoutItsNewlineWhenTheClientHasFinishedWriting) {
  RawClient client(*server_);
  client.write(R"({"version":1,"id":1,"method":"echo"})");
  turn();
  EXPECT_EQ(client.read(), "");
  client.shut_down_writing();
  turn();
  EXPECT_EQ(lines(client.read()).size(), 1U);
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(server_->connection_count(), 0U);
}

TEST_F(ControlServer, DeferredAnswersComeInAnyOrderAndAfterAHalfClose) {
  RawClient client(*server_);
  client.write(
      "{\"version\":1,\"id\":1,\"method\":\"later\"}\n"
      "{\"version\":1,\"id\":2,\"method\":\"later\"}\n");
  client.shut_down_writing();
  turn();
  EXPECT_EQ(client.read(), "");
  ASSERT_EQ(replies_.size(), 2U);
  replies_[1].send(Json("second"));
  replies_[1].send(Json("twice"));
  replies_[0].send(Json("first"));
  const auto answers = lines(client.read());
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0]["id"], 2);
  EXPECT_EQ(answers[1]["result"], "first");
  EXPECT_TRUE(client.ended);
}

TEST_F(ControlServer, AReplyThatIsDroppedAnswersUnavailable) {
  RawClient client(*server_);
  client.write("{\"version\":1,\"id\":1,\"method\":\"later\"}\n");
  turn();
  replies_.clear();
  const auto answers = lines(client.read());
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0]["error"]["code"], "unavailable");
}

TEST_F(ControlServer, AReplyOutlivesItsClient) {
  RawClient client(*server_);
  client.write("{\"version\":1,\"id\":1,\"method\":\"later\"}\n");
  turn();
  client.close();
  turn();
  EXPECT_EQ(server_->connection_count(), 0U);
  replies_.at(0).send(Json(1));
}

TEST_F(ControlServer, TakesNoMoreDeferredRequestsThanItsLimitUntilOneIsAnswered) {
  RawClient client(*server_);
  for (int i = 0; i < 65; ++i) {
    client.write("{\"version\":1,\"id\":" + std::to_string(i) + ",\"method\":\"later\"}\n");
  }
  turn();
  EXPECT_EQ(replies_.size(), 64U);
  replies_.reserve(100);
  replies_[0].send(Json(0));
  turn();
  EXPECT_EQ(replies_.size(), 65U);
}

TEST_F(ControlServer, TooLongALineGetsAnErrorAndThenTheEnd) {
  RawClient client(*server_);
  client.write("{\"version\":1,\"id\":1,\"method\":\"echo\"}\n");
  const std::string part(std::size_t{64} << 10U, 'x');
  for (int i = 0; i < 17; ++i) {
    client.write(part);
    turn();
  }
  const auto answers = lines(client.read());
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1]["error"]["code"], "invalid_argument");
  EXPECT_NE(answers[1]["error"]["message"].get<std::string>().find("1048576"), std::string::npos);
  EXPECT_TRUE(client.ended);
}

TEST_F(ControlServer, EventsReachFollowersOnlyAndAfterTheAnswer) {
  RawClient follower(*server_);
  RawClient other(*server_);
  follower.write("{\"version\":1,\"id\":1,\"method\":\"events.follow\"}\n");
  other.write("{\"version\":1,\"id\":1,\"method\":\"echo\"}\n");
  turn();
  server_->publish({{"type", "link"}});
  const auto seen = lines(follower.read());
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0]["id"], 1);
  EXPECT_EQ(seen[1]["event"]["type"], "link");
  EXPECT_EQ(lines(other.read()).size(), 1U);
}

TEST_F(ControlServer, ASlowFollowerLosesEventsAndIsToldHowMany) {
  RawClient follower(*server_);
  follower.write("{\"version\":1,\"id\":1,\"method\":\"events.follow\"}\n");
  turn();
  const std::string text(std::size_t{64} << 10U, 'e');
  constexpr int kEvents = 200;  // 12.8 MiB, above the limit and what the socket holds
  for (int i = 0; i < kEvents; ++i) {
    server_->publish({{"type", "big"}, {"text", text}});
  }
  std::string all;
  for (int i = 0; i < 400; ++i) {
    all += follower.read();
    turn(1);
  }
  int received = 0;
  int lost = 0;
  for (const Json& message : lines(all)) {
    if (!message.contains("event")) {
      continue;
    }
    if (message["event"]["type"] == "events.lost") {
      lost += message["event"]["count"].get<int>();
    } else {
      ++received;
    }
  }
  EXPECT_GT(lost, 0);
  EXPECT_EQ(received + lost, kEvents);
}

TEST_F(ControlServer, StopsReadingFromAClientThatDoesNotTakeItsAnswers) {
  RawClient client(*server_);
  int handled = 0;
  server_->add_method("big", [&](const Json&) -> Result<Json> {
    ++handled;
    return Json(std::string(std::size_t{1} << 20U, 'x'));
  });
  std::string requests;
  for (int i = 0; i < 40; ++i) {
    requests += "{\"version\":1,\"id\":1,\"method\":\"big\"}\n";
  }
  client.write(requests);
  turn(50);
  EXPECT_LT(handled, 10);
  std::string all;
  for (int i = 0; i < 2000 && handled < 40; ++i) {
    all += client.read();
    turn(1);
  }
  EXPECT_EQ(handled, 40);
}

class SmallControlServer : public ControlServer {
 protected:
  SmallControlServer() : ControlServer({.connections_max = 2}) {}
};

TEST_F(SmallControlServer, TellsTheClientThatIsOneTooMany) {
  const RawClient first(*server_);
  const RawClient second(*server_);
  RawClient third(*server_);
  const auto answers = lines(third.read());
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0]["error"]["code"], "busy");
  EXPECT_TRUE(third.ended);
}

// A directory of its own for socket files.
class ControlSocketFile : public ::testing::Test {
 protected:
  ControlSocketFile() : loop_(make_loop()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "aoekit-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }

  ~ControlSocketFile() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return (directory_ / "target.sock").string(); }

  std::filesystem::path directory_;
  std::unique_ptr<runtime::EventLoop> loop_;
};

TEST_F(ControlSocketFile, HasItsModeWhateverTheUmaskAndGoesWithTheServer) {
  const mode_t before = ::umask(0077);
  auto server = Server::open(*loop_, {.path = path()});
  ::umask(before);
  ASSERT_TRUE(server.has_value()) << server.error().message;

  struct stat info {};

  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0660U);
  server->reset();
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ControlSocketFile, OfALivingDaemonIsLeftAloneWithAClearError) {
  const auto first = Server::open(*loop_, {.path = path()});
  ASSERT_TRUE(first.has_value());
  const auto second = Server::open(*loop_, {.path = path()});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::already_exists);
  EXPECT_NE(second.error().message.find("another daemon serves there"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(ControlSocketFile, OfADeadDaemonIsReplaced) {
  {
    auto dead = Server::open(*loop_, {.path = path()});
    ASSERT_TRUE(dead.has_value());
    std::filesystem::rename(path(), directory_ / "kept");
  }
  std::filesystem::rename(directory_ / "kept", path());
  const auto server = Server::open(*loop_, {.path = path()});
  EXPECT_TRUE(server.has_value()) << server.error().message;
}

TEST_F(ControlSocketFile, IsNotMadeOverAFileThatIsNoSocket) {
  std::ofstream(path()) << "precious";
  const auto server = Server::open(*loop_, {.path = path()});
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, Errc::already_exists);
  EXPECT_EQ(std::filesystem::file_size(path()), 8U);
}

TEST_F(ControlSocketFile, OfAnotherDaemonSurvivesOurEnd) {
  auto ours = Server::open(*loop_, {.path = path()});
  ASSERT_TRUE(ours.has_value());
  std::filesystem::remove(path());
  const auto theirs = Server::open(*loop_, {.path = path()});
  ASSERT_TRUE(theirs.has_value());
  ours->reset();
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(ControlSocketFile, WithAPathTooLongForASocketIsRefusedWithTheLimit) {
  const auto server = Server::open(*loop_, {.path = directory_ / std::string(200, 'x')});
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, Errc::invalid_argument);
  EXPECT_NE(server.error().message.find("107"), std::string::npos);
}

// Runs the loop on a thread of its own, as a daemon does for a blocking client.
class ControlClient : public ControlSocketFile {
 protected:
  ControlClient() {
    auto server = Server::open(*loop_, {.path = path()});
    EXPECT_TRUE(server.has_value());
    server_ = *std::move(server);
    server_->add_method("echo", [](const Json& params) -> Result<Json> { return params; });
    server_->add_method("fail", [](const Json&) -> Result<Json> {
      return fail_with(Errc::busy, 0, "e7.1: in use");
    });
    server_->add_method("event", [this](const Json& params) -> Result<Json> {
      server_->publish(params);
      return Json::object();
    });
    server_->add_deferred_method(
        "later", [this](const Json&, Reply reply) { replies_.push_back(std::move(reply)); });
    server_->add_method("end", [this](const Json&) -> Result<Json> {
      loop_->stop();
      return Json::object();
    });
    thread_ = std::thread([this] {
      while (!loop_->stopped()) {
        loop_->run_once(std::nullopt);
      }
    });
  }

  ~ControlClient() override {
    auto client = Client::connect(path(), {});
    EXPECT_TRUE(client.has_value());
    EXPECT_TRUE((*client)->call("end", Json::object()).has_value());
    thread_.join();
    replies_.clear();
    server_.reset();
  }

  std::unique_ptr<Server> server_;
  std::vector<Reply> replies_;
  std::thread thread_;
};

TEST_F(ControlClient, GetsResultsAndTheDaemonsErrors) {
  auto client = Client::connect(path(), {});
  ASSERT_TRUE(client.has_value());
  const std::string big(std::size_t{900} << 10U, 'b');
  EXPECT_EQ((*client)->call("echo", {{"text", big}}).value()["text"], big);
  const auto failed = (*client)->call("fail", Json::object());
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::busy);
  EXPECT_EQ(failed.error().message, "e7.1: in use");
}

TEST_F(ControlClient, FollowsEventsUntilToldToStop) {
  auto follower = Client::connect(path(), {});
  auto speaker = Client::connect(path(), {});
  ASSERT_TRUE(follower.has_value() && speaker.has_value());
  std::atomic<int> seen = 0;
  std::thread following([&] {
    const auto result = (*follower)->follow([&](const Json& event) {
      EXPECT_EQ(event["type"], "tick");
      return ++seen == 3 ? Client::FollowStep::stop : Client::FollowStep::more;
    });
    EXPECT_TRUE(result.has_value());
  });
  while (seen < 3) {
    EXPECT_TRUE((*speaker)->call("event", {{"type", "tick"}}).has_value());
  }
  following.join();
}

TEST_F(ControlClient, GivesALoopOfItsOwnTheEventsThatHaveComeAndNeverWaits) {
  auto follower = Client::connect(path(), {});
  auto speaker = Client::connect(path(), {});
  ASSERT_TRUE(follower.has_value() && speaker.has_value());
  ASSERT_TRUE((*follower)->subscribe().has_value());
  EXPECT_EQ((*follower)->next_event().value(), std::nullopt);
  ASSERT_TRUE((*speaker)->call("event", {{"type", "tick"}}).has_value());
  pollfd readable{(*follower)->wait_fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&readable, 1, 10'000), 1);
  const auto event = (*follower)->next_event();
  ASSERT_TRUE(event.has_value() && event->has_value());
  EXPECT_EQ((**event)["type"], "tick");
  EXPECT_EQ((*follower)->next_event().value(), std::nullopt);
}

TEST_F(ControlClient, SaysThatNobodyAnsweredInTime) {
  auto client = Client::connect(path(), {.timeout = Duration::milliseconds(20)});
  ASSERT_TRUE(client.has_value());
  const auto late = (*client)->call("later", Json::object());
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Errc::timed_out);
}

TEST_F(ControlClient, ReadsTheReasonWhenItsRequestIsTooLong) {
  auto client = Client::connect(path(), {});
  ASSERT_TRUE(client.has_value());
  const std::string big(std::size_t{3} << 20U, 'b');
  const auto refused = (*client)->call("echo", {{"text", big}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_argument) << refused.error().message;
}

TEST_F(ControlSocketFile, WithoutADaemonIsUnavailableWithAHint) {
  const auto client = Client::connect(path(), {});
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, Errc::unavailable);
  EXPECT_NE(client.error().message.find("is the daemon running?"), std::string::npos);
}

}  // namespace
}  // namespace aoe::control
