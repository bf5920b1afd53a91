// What the handlers of requests have: the options, and the threads of the media.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "common/http/web_server.h"
#include "sfu/http/bearer_token.h"
#include "sfu/http/sfu_http.h"
#include "sfu/media_threads.h"

namespace sluice::interop::sfu {

// All of it outlives the handlers.
class SfuAccess {
 public:
  SfuAccess(const SfuHttpOptions& options, MediaThreads& media, const WebServer& server)
      : options_(options), media_(media), server_(server) {}

  [[nodiscard]] const SfuHttpOptions& options() const { return options_; }
  [[nodiscard]] const MediaThreads& media() const { return media_; }

  // Runs `work` on a worker's thread. It may use nothing of this object: WebServer::wait(). It is
  // not run for a request that has been refused for its delay. Empty: refused, in the response.
  template <class Answer>
  std::optional<Answer> ask(std::size_t worker, httplib::Response& response,
                            std::function<Answer(Sfu&, dtls::Instant)> work) const {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    const auto claim = std::make_shared<std::atomic_flag>();
    if (!media_.post(worker, [promise, claim, work = std::move(work)](Sfu& sfu, dtls::Instant now) {
          if (!claim->test_and_set()) promise->set_value(work(sfu, now));
        })) {
      refuse(response, 503, "Too many requests wait.");
      return std::nullopt;
    }
    return server_.wait(response, std::move(answer), claim.get());
  }

  // Which sessions a request may change: those that were made with its token.
  struct Rights {
    bool publishers;
    bool viewers;
    bool nodes;  // of a cluster
    [[nodiscard]] bool may_change(const Session& session) const {
      if (session.publisher) return publishers;
      return session.viewer->is_bound() ? nodes : viewers;
    }
  };
  [[nodiscard]] Rights rights_of(const httplib::Request& request) const {
    return {.publishers = has_token(request, options_.publish_token),
            .viewers = has_token(request, options_.watch_token),
            .nodes = options_.cluster != nullptr && has_token(request, options_.cluster->token())};
  }

  // Runs `work` for the session of the URL, likewise. `or_offer`: also for a counter-offer that
  // waits.
  template <class Answer>
  std::optional<Answer> ask_session(
      const httplib::Request& request, httplib::Response& response,
      std::function<Answer(Sfu&, const std::string& id, dtls::Instant)> work,
      bool or_offer = false) const {
    using Found = tl::expected<Answer, int>;
    const auto worker = media_.worker_of(request.matches[1].str());
    if (!worker) {
      refuse(response, 404, kNoSession);
      return std::nullopt;
    }
    auto found = ask<Found>(
        *worker, response,
        [rights = rights_of(request), id = request.matches[1].str(), work = std::move(work),
         or_offer](Sfu& sfu, dtls::Instant now) {
          const Session* session = sfu.find(id);
          const bool is_offer = session == nullptr && or_offer && sfu.awaits_answer(id);
          if (session == nullptr && !is_offer) return Found(tl::unexpect, 404);
          const bool may_change = is_offer ? rights.viewers : rights.may_change(*session);
          return may_change ? Found(work(sfu, id, now)) : Found(tl::unexpect, 401);
        });
    if (!found) return std::nullopt;
    if (*found) return **std::move(found);
    if (found->error() == 401) {
      refuse_token(response);
    } else {
      refuse(response, found->error(), kNoSession);
    }
    return std::nullopt;
  }

 private:
  static constexpr const char* kNoSession = "There is no such session.";

  const SfuHttpOptions& options_;
  MediaThreads& media_;
  const WebServer& server_;
};

}  // namespace sluice::interop::sfu
