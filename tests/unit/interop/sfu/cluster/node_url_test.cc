#include "sfu/cluster/node_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sluice::interop::sfu {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(NodeUrl, IsWhatAServerPrintsOfItself) {
  for (const char* text : {"http://192.0.2.1:8080", "https://sfu-1.example.org", "http://a:1",
                           "http://[2001:db8::1]:8080"}) {
    const auto url = parse_node_url(text);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->origin, text);
    EXPECT_EQ(parse_node_url(std::string{text} + "/")->origin, text);
  }
}

TEST(NodeUrl, HasNothingElse) {
  for (const char* text : {"",
                           "x",
                           "http://",
                           "ftp://a",
                           "file:///etc/passwd",
                           "http://a/path",
                           "http://a//",
                           "http://a/?b",
                           "http://a?b",
                           "http://a#b",
                           "http://user@a",
                           "http://user:secret@a:80",
                           "http://a:0",
                           "http://a:65536",
                           "http://a:port",
                           "http://a:80:80",
                           "http://a b",
                           "http://a\r\nb",
                           "http://[::1",
                           "http://[a]:1",
                           "http://[]:1",
                           "http://%61"}) {
    EXPECT_FALSE(parse_node_url(text)) << text;
  }
  EXPECT_FALSE(parse_node_url("http://" + std::string(kMaxNodeUrl, 'a')));
}

TEST(NodePath, IsAListOfUrls) {
  EXPECT_THAT(parse_path("", 3), Optional(IsEmpty()));
  EXPECT_THAT(parse_path("http://a:1, http://b:2", 3),
              Optional(ElementsAre("http://a:1", "http://b:2")));
  EXPECT_EQ(path_text(*parse_path("http://a:1,http://b:2", 2)), "http://a:1, http://b:2");
  EXPECT_FALSE(parse_path("http://a:1, http://b:2", 1));
  EXPECT_FALSE(parse_path("http://a:1, x", 3));
  EXPECT_FALSE(parse_path("http://a:1,, http://b:2", 3));
}

TEST(NodeNetworks, BoundWhereRequestsGo) {
  NodeNetworks own;
  own.add_default();
  for (const char* inside : {"http://127.0.0.1:1", "http://10.1.2.3", "http://172.31.0.1:8080",
                             "http://192.168.1.1", "http://[::1]:1", "http://[fd00::1]"}) {
    EXPECT_TRUE(own.resolve(*parse_node_url(inside))) << inside;
  }
  for (const char* outside : {"http://192.0.2.1:1", "http://169.254.169.254", "http://172.32.0.1",
                              "http://[2001:db8::1]", "http://0.0.0.0:1"}) {
    EXPECT_FALSE(own.resolve(*parse_node_url(outside))) << outside;
  }
  NodeNetworks given;
  EXPECT_FALSE(given.add("10.0.0.1/8"));
  ASSERT_TRUE(given.add("192.0.2.0/24"));
  EXPECT_TRUE(given.resolve(*parse_node_url("http://192.0.2.1:1")));
  EXPECT_FALSE(given.resolve(*parse_node_url("http://127.0.0.1:1")));
}

TEST(NodeNetworks, BoundWhereMediaGoes) {
  NodeNetworks given;
  ASSERT_TRUE(given.add("192.0.2.0/24"));
  const dtls::UdpEndpoint inside{dtls::Ipv4Address{192, 0, 2, 7}, 5000};
  const dtls::UdpEndpoint outside{dtls::Ipv4Address{192, 0, 3, 7}, 5000};
  EXPECT_THAT(given.among({outside, inside, outside}), ElementsAre(inside));
  EXPECT_THAT(given.among({outside}), IsEmpty());
}

}  // namespace
}  // namespace sluice::interop::sfu
